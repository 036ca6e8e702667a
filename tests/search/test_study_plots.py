"""The plots of a study show its values, however few its trials."""

import optuna
import pytest
from matplotlib import pyplot as plt
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState

from sentiment_rnn.search.plots import log_plots, study_figures


def study(complete: int, pruned: int = 0) -> optuna.Study:
    made = optuna.create_study()
    for number in range(complete + pruned):
        ended = number < complete
        made.add_trial(
            optuna.trial.create_trial(
                state=TrialState.COMPLETE if ended else TrialState.PRUNED,
                value=0.5 - number / 100,
                intermediate_values={1: 0.6, **({2: 0.5 - number / 100} if ended else {})},
                params={"dropout": 0.3 + number / 100, "lr_schedule": "constant" if number % 2 else "one_cycle"},
                distributions={
                    "dropout": FloatDistribution(0.1, 0.9),
                    "lr_schedule": CategoricalDistribution(["constant", "one_cycle"]),
                },
            )
        )
    return made


@pytest.mark.parametrize(("complete", "pruned", "count"), [(1, 0, 4), (2, 1, 5), (8, 4, 5)])
def test_every_plot_shows_the_values_of_the_trials(complete, pruned, count):
    figures = study_figures(study(complete, pruned))
    assert len(figures) == count
    assert len({id(figure) for figure in figures.values()}) == count
    history = figures["optimization_history"].axes[0]
    points = history.collections[0].get_offsets()
    assert sorted(points[:, 1].tolist()) == pytest.approx(sorted(0.5 - number / 100 for number in range(complete)))
    assert len(figures["learning_curves"].axes[0].lines) == complete + pruned
    assert len(figures["slices"].axes) >= 2
    plt.close("all")


def test_the_plots_are_artifacts_of_the_run(client):
    run = client.create_run(client.create_experiment("studies"))
    finished = study(3)
    finished.set_user_attr("run_id", run.info.run_id)
    log_plots(client, finished)
    found = {artifact.path for artifact in client.list_artifacts(run.info.run_id, "study")}
    assert found == {
        f"study/{name}.png"
        for name in ("optimization_history", "parallel_coordinates", "slices", "learning_curves", "importances")
    }
    assert not plt.get_fignums(), "no figure stays open"
