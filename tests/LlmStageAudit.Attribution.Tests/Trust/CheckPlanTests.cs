using LlmStageAudit.Attribution.Observed;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Tests.Trust;

public sealed class CheckPlanTests : IDisposable
{
    private readonly RetrainableTrajectory _run = SmallRun.Train(SmallRun.Sgd, cubic: 0);

    [Fact]
    public void Checks_speak_for_every_step_of_a_stage_of_any_length()
    {
        foreach (var total in Enumerable.Range(1, 200))
        {
            int[] parts = [.. Enumerable.Range(1, total).Select(place => CheckPlan.StepsSpokenFor(total, place))];
            Assert.Equal(total, parts.Sum());
            Assert.True(parts[0] > 0, $"the first of {total} steps is not checked");
            Assert.InRange(parts.Count(part => part > 0), 1, Math.Max(2, Math.Min(total / 4, CheckPlan.PerStage)));
            Assert.InRange(parts[0], 1, Math.Max(1, total / 10));
            Assert.All(parts, part => Assert.True(part >= 0));
        }

        Assert.Equal(CheckPlan.PerStage, Enumerable.Range(1, 200).Count(place => CheckPlan.StepsSpokenFor(200, place) > 0));
    }

    /// <summary>Stages of 6, 4 and 6 steps: a check speaks for what the counterfactual makes of its own.</summary>
    [Fact]
    public void Only_steps_made_from_another_state_are_checked()
    {
        Assert.Equal([0, 4, 6], SpokenFor(Counterfactual.WithoutStage("first", 0)));
        Assert.Equal([0, 0, 6], SpokenFor(Counterfactual.WithoutStage("second", 1)));
        Assert.Equal([0, 0, 0], SpokenFor(Counterfactual.WithoutStage("third", 2)));
        Assert.Equal([3, 4, 6], SpokenFor(Counterfactual.WithoutSteps("steps 2, 4", 0, [2, 4])));
    }

    [Fact]
    public void Few_steps_after_those_left_out_are_checked_too()
    {
        var question = Counterfactual.WithoutSteps("step 5 of the third", 2, [5]);
        Assert.Equal([0, 0, 1], SpokenFor(question));
        Assert.Equal(1, new CheckPlan([question], _run.Programs).StepsSpokenFor(0, _run.Programs[2], 6));
    }

    [Fact]
    public void Each_question_has_checks_of_its_own()
    {
        Counterfactual[] questions = [Counterfactual.WithoutStage("second", 1), Counterfactual.WithoutSteps("steps 1-2", 0, [1, 2])];
        Assert.Equal([0, 0, 6], SpokenFor(questions, 0));
        Assert.Equal([4, 4, 6], SpokenFor(questions, 1));
    }

    /// <summary>Exactly the steps whose replay is not the run's own are those of which a check may be made.</summary>
    [Fact]
    public void A_replay_asks_for_gradients_at_no_other_steps()
    {
        using var scope = NewDisposeScope();
        Counterfactual[] questions =
        [
            Counterfactual.WithoutStage("second", 1),
            Counterfactual.WithoutSteps("steps", 0, [3, 5]),
            Counterfactual.WithoutSteps("last", 2, [6]),
        ];
        foreach (var question in questions)
        {
            var seen = new Seen(_run.Programs);
            new CounterfactualReplay(_run, seen).Run([question], null, default);
            var expected = _run.Programs.SelectMany((program, stage) => program.Steps
                .Where(step => question.Diverges(stage, step.StageStep)).Select(step => (stage, step.StageStep)));
            Assert.Equal(expected, seen.Moves);
        }
    }

    public void Dispose() => _run.Dispose();

    private int[] SpokenFor(Counterfactual question) => SpokenFor([question], 0);

    private int[] SpokenFor(Counterfactual[] questions, int question)
    {
        var plan = new CheckPlan(questions, _run.Programs);
        return [.. _run.Programs.Select(program => program.Steps.Sum(step => plan.StepsSpokenFor(question, program, step.StageStep)))];
    }

    private sealed class Seen(IReadOnlyList<StageProgram> programs)
        : CounterfactualGradients(new GradientSource.Recorded(), needsObserved: true)
    {
        public List<(int Stage, int StageStep)> Moves { get; } = [];

        internal override IReadOnlyList<Tensor> Gradients(ReplayStep step, IReadOnlyList<Tensor> counterfactualThetas)
        {
            Moves.Add((programs.Index().Single(pair => pair.Item == step.Program).Index, step.Step.StageStep));
            return [.. counterfactualThetas.Select(_ => step.LoggedGradient)];
        }
    }
}
