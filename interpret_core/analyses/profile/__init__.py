"""What each unit detects: thresholds, IoU with annotated concepts, masks, chance."""
