"""The networks' linear rivals: bags of n-grams and logistic regression, on the same splits."""
