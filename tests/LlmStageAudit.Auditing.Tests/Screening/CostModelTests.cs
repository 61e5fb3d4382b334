using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution.Tests;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Auditing.Screening;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Auditing.Tests.Screening;

/// <summary>
/// Costs of a run of 6, 4 and 6 steps on batches of 4, 4, 2 (twice), of 4, 4 (twice) and of 4, 4, 1 (twice) examples, counted by hand and
/// by doing the work.
/// </summary>
public sealed class CostModelTests : IDisposable
{
    private readonly RetrainableTrajectory _trajectory = SmallRun.Train(SmallRun.Sgd, cubic: 0.1);
    private readonly CostModel _cost;

    public CostModelTests() => _cost = new CostModel(_trajectory.Programs);

    [Fact]
    public void A_training_is_its_steps() => Assert.Equal(16, _cost.Training);

    [Fact]
    public void Exact_replay_runs_the_steps_after_the_first_left_out()
    {
        Assert.Equal([10, 6, 0], Stages().Select(_cost.Exact));
        Assert.Equal(16, _cost.Exact(Stages()));
        // Of the first stage's steps: 6 - 1 + 10 remain after the first of them, none is run twice.
        Assert.Equal(
            Enumerable.Range(1, 16).Select(step => 16.0 - step), Of(new AttributionRequest { Treatment = Treatment.Of("step") }).Select(_cost.Exact));
        Assert.Equal([2 + 2 + 6, 0], Of(new AttributionRequest { Treatment = new Treatment.Steps("3,5,7-8", "16") }).Select(_cost.Exact));
    }

    [Fact]
    public void K_equal_stages_cost_half_of_K_less_one_trainings()
    {
        using var equal = SmallRun.Train(
            SmallRun.Sgd, cubic: 0, (index, section) => index == 1 ? section with { Epochs = 3 } : section);
        Assert.All(equal.Programs, program => Assert.Equal(6, program.Steps.Count));
        var cost = new CostModel(equal.Programs);
        Assert.Equal((3 - 1) / 2.0, cost.Trainings(cost.Exact(new AttributionRequest().Counterfactuals(equal))));
    }

    [Fact]
    public void A_sweep_is_vector_products_at_every_step_on_a_share_of_the_batch()
    {
        Assert.Equal(16 * 2.5, _cost.Sweep(1, 1));
        Assert.Equal(16 * 4, _cost.Sweep(2, 1));
        // Half of 4, 4, 2 twice; of 4, 4 twice; of 4, 4, 1 twice, where one example is the least.
        Assert.Equal(2.5 * ((6 * 0.5) + (4 * 0.5) + (4 * 0.5) + (2 * 1)), _cost.Sweep(1, 0.5));
        Assert.Equal(2.5 * ((4 * 0.25) + (2 * 0.5) + (4 * 0.25) + (4 * 0.25) + (2 * 1)), _cost.Sweep(1, 0.01));
    }

    [Theory]
    [InlineData("recorded", 0.25)]
    [InlineData("sampled", 0.25)]
    [InlineData("sampled", 0.5)]
    [InlineData("sampled", 1)]
    [InlineData("exact", 1)]
    public void A_replay_costs_what_it_was_said_to(string source, double rho)
    {
        var sets = new AttributionRequest { Treatment = new Treatment.Steps("3,5,7-8", "9") };
        foreach (var request in new[] { new AttributionRequest(), new AttributionRequest { Treatment = Treatment.Of("step") }, sets })
        {
            using var scope = NewDisposeScope();
            var questions = Of(request);
            var gradients = SmallRun.Gradients(source, rho);
            new CounterfactualReplay(_trajectory, gradients).Run(questions, null, default);
            Assert.Equal(gradients.GradientEquivalents, _cost.Replay(SmallRun.Source(source, rho), questions), 1e-9);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0.5)]
    [InlineData(0.1)]
    public void A_sweep_costs_what_it_was_said_to(double rho)
    {
        using var scope = NewDisposeScope();
        var sweep = new AdjointSweep(_trajectory, new Estimator.Adjoint(new Curvature.Full(rho)), seed: 0);
        sweep.Run([TensorMemory.Of(Vectors.Normal(SmallRun.Parameters, 3))], ofExamples: false, ofBlocks: false, null, default);
        Assert.Equal(sweep.GradientEquivalents, _cost.Sweep(1, rho), 1e-9);
    }

    [Fact]
    public void The_budget_decides_between_everything_and_a_screen()
    {
        ScreeningPlan Plan(double budget, string level = "stage", double? rho = null, Estimator? screen = null) => ScreeningPlan.Choose(
            _cost, Of(new AttributionRequest { Treatment = Treatment.Of(level) }), new AttributionRequest { Treatment = Treatment.Of(level) },
            new CertificationRequest { BudgetTrainings = budget, Rho = rho, Screen = screen });

        var everything = Plan(1);
        Assert.Null(everything.Screen);
        Assert.Equal("exact replay of all 3 stages costs 16 gradients (1x), within the budget of 16 gradients (1x)", everything.Reason);
        Assert.Null(Plan(double.PositiveInfinity, "step").Screen);
        Assert.Equal(120, Plan(3, "step").EverythingGradients);

        Assert.Equal("replay-recorded", $"{Plan(0.9).Screen}");
        Assert.Equal("replay-sampled-0.5", $"{Plan(0.9, rho: 0.5).Screen}");
        Assert.Equal("replay-recorded", $"{Plan(0).Screen}");
        var steps = Plan(3, "step");
        Assert.IsType<Estimator.Adjoint>(steps.Screen);
        // A third of the budget, 16 gradients, holds a sweep of 6.4 whole batches.
        Assert.InRange(_cost.Screen(steps.Screen, Of(new AttributionRequest { Treatment = Treatment.Of("step") })), 8, 16);
        Assert.Equal(40, _cost.Screen(Plan(3, "step", rho: 1).Screen!, []));
        Assert.Equal("replay-recorded", $"{Plan(3, "step", screen: Estimator.Parse("recorded")).Screen}");
        var error = Assert.Throws<ConfigurationException>(() => Plan(0.9, screen: Estimator.Parse("adjoint")));
        Assert.StartsWith(
            "the budget: '0.9x'; expected at least 40 gradients (2.5x) for the screen adjoint",
            error.Message,
            StringComparison.Ordinal);
        Assert.StartsWith(
            "the budget: '0.1x'", Assert.Throws<ConfigurationException>(() => Plan(0.1, "step")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sweep_takes_the_largest_share_that_a_third_of_the_budget_holds()
    {
        // Four steps a stage on all of its 10, 8 and 9 examples; a training is 12 gradients.
        using var run = SmallRun.Train(SmallRun.AdamW, cubic: 0, (_, section) => section with { BatchSize = 10, Epochs = 4 });
        var request = new AttributionRequest { Treatment = Treatment.Of("step") };
        double? Share(double budget) => ScreeningPlan.Choose(
            new CostModel(run.Programs), request.Counterfactuals(run), request, new CertificationRequest { BudgetTrainings = budget })
            .Screen!.Settings.Rho;

        // One example a batch: 10 (1/10 + 1/8 + 1/9) = 3.36 of 3.6; from 0.15 on it would be two of ten.
        Assert.Equal(0.14, Share(0.9));
        // Less than that cannot be; there it takes more than a third.
        Assert.Equal(0.01, Share(0.5));
        // 7 of 10, 5 of 8 and 6 of 9 take 10 (0.7 + 0.625 + 0.667) = 19.9 of 20; from 0.69 on it would be six of eight.
        Assert.Equal(0.68, Share(5));
    }

    [Theory]
    [InlineData("3x", 3)]
    [InlineData("0.5", 0.5)]
    [InlineData("1e1x", 10)]
    [InlineData("0", 0)]
    [InlineData("unlimited", double.PositiveInfinity)]
    public void A_budget_is_a_number_of_trainings(string text, double trainings) =>
        Assert.Equal(trainings, CertificationRequest.ParseBudget(text));

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("-1x")]
    [InlineData("3xx")]
    [InlineData("1,5x")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("1e999")]
    public void Other_budgets_are_quoted(string text) => Assert.StartsWith(
        $"the budget: '{text}'; expected trainings",
        Assert.Throws<ConfigurationException>(() => CertificationRequest.ParseBudget(text)).Message,
        StringComparison.Ordinal);

    public void Dispose() => _trajectory.Dispose();

    private IReadOnlyList<Counterfactual> Stages() => Of(new AttributionRequest());

    private IReadOnlyList<Counterfactual> Of(AttributionRequest request) => request.Counterfactuals(_trajectory);
}
