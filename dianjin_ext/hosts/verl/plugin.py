"""The `verl.plugins` entry point: imported by `import verl` in the driver and in every Ray worker."""
