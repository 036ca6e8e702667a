"""The evaluation report: what there is to know of a registered version on test, as one page."""
