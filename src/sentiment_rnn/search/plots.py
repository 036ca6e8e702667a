"""What a study looks like: Optuna's own plots, as figures and as artifacts of the study's run."""

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


def study_figures(study: Study) -> dict[str, Figure]:
    """Optimisation history, importances, parallel coordinates, slices, pruned curves; by name.

    Importances need two complete trials, and are left out where there are fewer.
    """
    drawn = {
        "optimisation_history": draw.plot_optimization_history,
        "parallel_coordinates": draw.plot_parallel_coordinate,
        "slices": draw.plot_slice,
        "curves": draw.plot_intermediate_values,
    }
    if len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))) > 1:
        drawn["importances"] = draw.plot_param_importances
    named = "validation loss"
    figures = {}
    with warnings.catch_warnings(), plt.rc_context({"figure.figsize": (9, 5)}):
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.simplefilter("ignore", UserWarning)
        for name, plot in drawn.items():
            axes = plot(study) if name == "curves" else plot(study, target_name=named)
            if name == "curves":
                axes.set(title="Curves of all trials, the pruned ones cut short", xlabel="epoch", ylabel=named)
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
                if axes.get_legend():
                    axes.get_legend().remove()  # a colour a trial tells nothing among twenty
            figures[name] = plt.gcf()
    return figures


def log_plots(client: MlflowClient, run_id: str, study: Study) -> None:
    """The figures, under `study/` of the run."""
    for name, figure in study_figures(study).items():
        client.log_figure(run_id, figure, f"study/{name}.png", save_kwargs={"bbox_inches": "tight"})
        plt.close(figure)
