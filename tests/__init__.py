"""The tests, importable so that `tests.planted_networks:red_detector` names a network."""
