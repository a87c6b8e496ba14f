"""What is asked of the counting of words."""
