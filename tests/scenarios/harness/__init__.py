"""What runs the scenarios: systems, faults, the diagnosis and its marks."""
