"""The Agreement page: whether units that overlap a class's object most are those that matter most for it."""
