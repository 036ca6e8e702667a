"""What MLflow's system metrics need to include the GPU."""

from mlflow.system_metrics.metrics import gpu_monitor


def test_mlflow_finds_the_library_that_reads_the_gpu():
    """MLflow leaves GPU metrics out without an error where nvidia-ml-py is missing."""
    assert hasattr(gpu_monitor, "pynvml")
