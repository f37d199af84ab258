"""The paper's study computed again, beside the paper's numbers; a data set's totals beside published ones."""
