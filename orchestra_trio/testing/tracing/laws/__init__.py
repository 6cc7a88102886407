"""The laws, checked over what was recorded: conservation, order, signals, fairness, back-pressure, drain."""
