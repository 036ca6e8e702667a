"""Optuna's plots of a study as figures, and as artifacts of the study's MLflow run."""

import warnings

import matplotlib
import optuna

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from mlflow import MlflowClient
from optuna import Study
from optuna.trial import TrialState
from optuna.visualization import matplotlib as draw

LOSS = "validation loss"


def study_figures(study: Study) -> dict[str, Figure]:
    """Optimization history, importances, parallel coordinates, slices and learning curves, by name.

    Importances need two complete trials, and are left out where there are fewer.
    """
    plots = {
        "optimization_history": draw.plot_optimization_history,
        "parallel_coordinates": draw.plot_parallel_coordinate,
        "slices": draw.plot_slice,
        "learning_curves": draw.plot_intermediate_values,
    }
    if len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))) > 1:
        plots["importances"] = draw.plot_param_importances
    figures = {}
    with warnings.catch_warnings(), plt.rc_context({"figure.figsize": (9, 5)}):
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.simplefilter("ignore", UserWarning)
        for name, plot in plots.items():
            if name == "learning_curves":
                axes = plot(study)
                axes.set(title="Learning curves; a pruned trial ends early", xlabel="epoch", ylabel=LOSS)
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
                if axes.get_legend():
                    axes.get_legend().remove()  # the colors of twenty trials cannot be told apart
            else:
                plot(study, target_name=LOSS)
            figures[name] = plt.gcf()
    return figures


def log_plots(client: MlflowClient, study: Study) -> None:
    """Log the figures under `study/` of the study's run."""
    for name, figure in study_figures(study).items():
        client.log_figure(study.user_attrs["run_id"], figure, f"study/{name}.png", save_kwargs={"bbox_inches": "tight"})
        plt.close(figure)
