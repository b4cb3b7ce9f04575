"""Our benchmarks in inspect-ai, as `dianjin_ext/NAME`, by its entry-point group `inspect_ai`."""
