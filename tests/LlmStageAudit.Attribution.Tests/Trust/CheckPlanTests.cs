using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Observed;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Tests.Trust;

public sealed class CheckPlanTests : IDisposable
{
    private readonly RetrainableTrajectory _run =
        SmallRun.Train(SmallRun.Sgd, cubic: 0, (_, stage) => stage with { Schedule = new ScheduleSection() });

    [Fact]
    public void Parts_cover_every_step_of_a_stage_of_any_length_and_the_first_is_checked()
    {
        foreach (var total in Enumerable.Range(1, 200))
        {
            var parts = CheckPlan.Parts(total).ToArray();
            Assert.Equal(Enumerable.Range(0, total), parts.SelectMany(part => Enumerable.Range(part.From, part.To - part.From)));
            Assert.Equal(0, parts[0].At);
            Assert.All(parts, part => Assert.InRange(part.At, part.From, part.To - 1));
            Assert.InRange(parts.Length, 1, Math.Max(2, Math.Min(total / 4, CheckPlan.PerStage)));
            Assert.InRange(parts[0].To, 1, Math.Max(1, total / 10));
        }

        Assert.Equal(CheckPlan.PerStage, CheckPlan.Parts(200).Count());
        Assert.Empty(CheckPlan.Parts(0));
    }

    /// <summary>Stages of 6, 4 and 6 steps at one rate: a check speaks for what the counterfactual makes of its own.</summary>
    [Fact]
    public void Only_steps_made_from_another_state_are_checked()
    {
        Assert.Equal([0, 4, 6], SpokenFor(Counterfactual.WithoutStage("first", 0)));
        Assert.Equal([0, 0, 0], SpokenFor(Counterfactual.WithoutStage("third", 2)));
        Assert.Equal([3, 4, 6], SpokenFor(Counterfactual.WithoutSteps("steps 2, 4", 0, [2, 4])));
    }

    [Fact]
    public void What_moves_in_too_few_steps_is_not_checked_at_all()
    {
        Counterfactual[] questions =
        [
            Counterfactual.WithoutSteps("third", 2, [3]), Counterfactual.WithoutSteps("fifth", 2, [5]),
            Counterfactual.WithoutStage("second", 1),
        ];
        Assert.Equal([0, 0, 0], SpokenFor(questions, 0));
        Assert.Equal([0, 0, 0], SpokenFor(questions, 1));
        Assert.Equal([0, 0, 6], SpokenFor(questions, 2));
        var plan = new CheckPlan(questions, _run.Programs);
        Assert.Equal((3, 1, 6), (plan.MovingSteps(0), plan.MovingSteps(1), plan.MovingSteps(2)));
        Assert.Equal(4, CheckPlan.LeastSteps);
    }

    /// <summary>One step of warm-up, at a rate of 0, is all of the first stage: without it nothing is another.</summary>
    [Fact]
    public void A_stage_that_never_moved_leaves_nothing_to_check()
    {
        using var run = SmallRun.Train(
            SmallRun.Sgd, cubic: 0, (index, stage) => index == 0 ? stage with { BatchSize = 10, Epochs = 1 } : stage);
        Assert.Equal(0, Assert.Single(run.Programs[0].Steps).LearningRate);
        Counterfactual[] questions = [Counterfactual.WithoutStage("first", 0), Counterfactual.WithoutSteps("its step", 0, [1])];
        var plan = new CheckPlan(questions, run.Programs);
        Assert.Equal((0, 8), (plan.MovingSteps(0), plan.MovingSteps(1)));
        using var scope = NewDisposeScope();
        var estimation = Estimation.Run(run, Estimator.Parse("recorded"), 1, questions, null, default, spotChecks: true);
        Assert.Equal(TrustGrade.Exact, estimation.Trust(0, null, null).Grade);
        Vectors.SameBits(run.StateBefore(3), estimation.Counterfactuals[0]);
    }

    [Fact]
    public void Each_question_has_checks_of_its_own()
    {
        Counterfactual[] questions = [Counterfactual.WithoutStage("first", 0), Counterfactual.WithoutSteps("steps 1-2", 0, [1, 2])];
        Assert.Equal([0, 4, 6], SpokenFor(questions, 0));
        Assert.Equal([4, 4, 6], SpokenFor(questions, 1));
    }

    /// <summary>Warm-up begins at a rate of 0: a check there would say that nothing is ever off.</summary>
    [Fact]
    public void Steps_that_move_nothing_are_not_checked_and_others_speak_by_their_rates()
    {
        var schedule = new ScheduleSection { Name = ScheduleName.Linear, WarmupSteps = 3 };
        using var run = SmallRun.Train(SmallRun.Sgd, cubic: 0, (_, stage) => stage with { Schedule = schedule, Epochs = 4 });
        var plan = new CheckPlan([Counterfactual.WithoutStage("first", 0)], run.Programs);
        var later = run.Programs.Skip(1).ToArray();
        Assert.All(later, program => Assert.Equal(0, program.Steps[0].LearningRate));
        Assert.Equal(later.Sum(program => program.Steps.Count - 1), plan.MovingSteps(0));
        foreach (var program in later)
        {
            var steps = program.Steps.Where(step => plan.Of(0, program, step.StageStep) is not null).ToArray();
            Assert.DoesNotContain(steps, step => step.LearningRate == 0);
            Assert.Equal(2, steps[0].StageStep);
            Assert.Equal(
                program.Steps.Sum(step => step.LearningRate),
                steps.Sum(step => step.LearningRate * plan.Of(0, program, step.StageStep)!.Value.Repeated),
                1e-12);
            Assert.All(steps, step =>
            {
                var weight = plan.Of(0, program, step.StageStep)!.Value;
                Assert.InRange(weight.Independent, 0, weight.Repeated);
            });
        }
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
        return
        [
            .. _run.Programs.Select(program => program.Steps.Sum(step =>
                (int)Math.Round(plan.Of(question, program, step.StageStep)?.Repeated ?? 0))),
        ];
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
