"""Changes other programs' configuration files the way a careful person would: little, visibly, and with a way back."""
