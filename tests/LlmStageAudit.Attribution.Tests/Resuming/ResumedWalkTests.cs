using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Progress;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Attribution.Tests.Resuming;

/// <summary>Walks broken off and gone on with: every bit is that of a walk that was not.</summary>
public sealed class ResumedWalkTests : IDisposable
{
    private static readonly Counterfactual[] s_questions =
    [
        Counterfactual.WithoutStage("second", 1),
        Counterfactual.WithoutSteps("steps", 0, [3, 5]),
        Counterfactual.WithoutSteps("last", 2, [6]),
        new("two stages", new Dictionary<int, IReadOnlySet<int>?> { [0] = null, [1] = null }),
    ];

    private readonly TemporaryFolder _folder = new();

    private string Progress => _folder.At("progress");

    public static TheoryData<string, string> Estimators
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var optimizer in new[] { "sgd", "adamw" })
            {
                foreach (var estimator in new[] { "exact", "recorded", "linear", "midpoint", "sampled-0.5", "adjoint", "aa-score" })
                    data.Add(optimizer, estimator);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Estimators))]
    public void A_replay_or_propagation_goes_on_to_the_same_bits(string optimizer, string name)
    {
        using var run = Train(optimizer);
        var estimator = Estimator.Parse(name);
        var whole = Estimated(run, estimator, WalkJournal.None);
        // The first step, inside stages (of 6, 4 and 6 steps), at their ends and just after, and the last step.
        foreach (var brokenAfter in new[] { 1, 3, 6, 7, 10, 11, 16 })
        {
            BreakOff(brokenAfter, (journal, progress, cancellation) =>
                Estimation.Run(run, estimator, 1, s_questions, progress, cancellation, spotChecks: true, journal));
            var journal = Open(resumes: true);
            Assert.Equal(whole, Estimated(run, estimator, journal));
            Assert.Equal(brokenAfter, journal.StepsResumed);
        }
    }

    [Theory]
    [InlineData("sgd", false)]
    [InlineData("adamw", false)]
    [InlineData("sgd", true)]
    [InlineData("adamw", true)]
    public void A_sweep_goes_on_to_the_same_bits(string optimizer, bool ofBlocks)
    {
        using var run = Train(optimizer);
        var whole = Swept(run, ofBlocks, WalkJournal.None);
        for (var brokenAfter = 1; brokenAfter <= 16; brokenAfter++)
        {
            BreakOff(brokenAfter, (journal, progress, cancellation) => Swept(run, ofBlocks, journal, progress, cancellation));
            var journal = Open(resumes: true);
            Assert.Equal(whole, Swept(run, ofBlocks, journal));
            // With blocks the state is put once per interval, of three steps or two here.
            Assert.InRange(journal.StepsResumed, ofBlocks ? brokenAfter - 2 : brokenAfter, brokenAfter);
        }
    }

    [Fact]
    public void Live_tensors_return()
    {
        using var run = Train("adamw");
        LiveTensors.ReturnToTheirCount(() =>
        {
            BreakOff(9, (journal, progress, cancellation) =>
                Estimation.Run(run, Estimator.Parse("midpoint"), 1, s_questions, progress, cancellation, spotChecks: true, journal));
            Estimated(run, Estimator.Parse("midpoint"), Open(resumes: true));
            BreakOff(9, (journal, progress, cancellation) => Swept(run, ofBlocks: true, journal, progress, cancellation));
            Swept(run, ofBlocks: true, Open(resumes: true));
        });
    }

    [Fact]
    public void What_was_kept_of_another_question_is_not_gone_on_with()
    {
        using var run = Train("sgd");
        BreakOff(5, (journal, progress, cancellation) =>
            Estimation.Run(run, Estimator.Exact, 1, s_questions, progress, cancellation, spotChecks: true, journal));
        foreach (var journal in new[] { Open(resumes: true, asked: "another probe"), Open(resumes: true) })
        {
            using var scope = NewDisposeScope();
            Estimation.Run(run, Estimator.Exact, 1, s_questions[..2], null, default, spotChecks: true, journal);
            Assert.Equal(0, journal.StepsResumed);
        }
    }

    [Fact]
    public void Not_resuming_begins_anew_and_closing_leaves_nothing()
    {
        using var run = Train("sgd");
        BreakOff(5, (journal, progress, cancellation) =>
            Estimation.Run(run, Estimator.Exact, 1, s_questions, progress, cancellation, spotChecks: true, journal));
        Assert.NotEmpty(Directory.GetFiles(Progress));
        var journal = Open(resumes: false);
        Estimated(run, Estimator.Exact, journal);
        Assert.Equal(0, journal.StepsResumed);
        journal.Close();
        Assert.False(Directory.Exists(Progress));
    }

    [Fact]
    public void A_damaged_file_is_refused_by_name()
    {
        using var run = Train("sgd");
        BreakOff(5, (journal, progress, cancellation) =>
            Estimation.Run(run, Estimator.Exact, 1, s_questions, progress, cancellation, spotChecks: true, journal));
        var path = Directory.GetFiles(Progress).Single();
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
        var error = Assert.Throws<ProgressException>(() => Estimated(run, Estimator.Exact, Open(resumes: true)));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains("without resuming", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static RetrainableTrajectory Train(string optimizer)
    {
        var section = optimizer == "sgd" ? SmallRun.Sgd : SmallRun.AdamW;
        return SmallRun.Train(
            section,
            cubic: 0.3,
            (index, stage) => index == 1 ? stage with { Optimizer = section with { ClipNorm = 0.8 } } : stage);
    }

    private static double[] Estimated(RetrainableTrajectory run, Estimator estimator, WalkJournal journal)
    {
        using var scope = NewDisposeScope();
        var found = Estimation.Run(run, estimator, 1, s_questions, null, default, spotChecks: true, journal);
        return
        [
            .. found.Counterfactuals
                .Concat(found.Changes)
                .Concat(found.PredictedErrors.OfType<Tensor>())
                .SelectMany(one => one.ToArray<double>()),
            .. Enumerable.Range(0, s_questions.Length).Select(i => found.Checks?.Of(i)).OfType<DriftTally>()
                .SelectMany(tally => new[] { tally.Checks, tally.Growth, tally.GradientMismatch }),
            found.GradientEquivalents,
        ];
    }

    private static double[] Swept(
        RetrainableTrajectory run,
        bool ofBlocks,
        WalkJournal journal,
        IProgress<(int, int)>? progress = null,
        CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        var sweep = new AdjointSweep(run, new Estimator.Adjoint(new Curvature.Full()), seed: 0) { Journal = journal };
        Tensor[] probes = [TensorMemory.Of(Vectors.Normal(SmallRun.Parameters, 300)), TensorMemory.Of(Vectors.Normal(SmallRun.Parameters, 301))];
        return
        [
            .. sweep.Run(probes, ofExamples: true, ofBlocks, progress, cancellation).SelectMany(result => result.Steps
                .SelectMany(step => step.ExampleEffects!.Concat([step.StageIndex, step.StageStep, step.Effect, step.BatchEffect]))
                .Concat(result.StageEffects)
                .Concat(result.Blocks is { } blocks ? Enumerable.Range(1, 16).Select(last => blocks.Effect(1 + (last / 2), last)) : [])),
            sweep.GradientEquivalents,
        ];
    }

    private void BreakOff(int after, Action<WalkJournal, IProgress<(int, int)>, CancellationToken> walk)
    {
        using var scope = NewDisposeScope();
        using var source = new CancellationTokenSource();
        var progress = new At(after, source.Cancel);
        if (after < 16) Assert.Throws<OperationCanceledException>(() => walk(Open(resumes: false), progress, source.Token));
        else walk(Open(resumes: false), progress, source.Token);
    }

    private WalkJournal Open(bool resumes, string asked = "a question") => WalkJournal.Open(Progress, asked, TimeSpan.Zero, resumes);

    private sealed class At(int step, Action act) : IProgress<(int Step, int Total)>
    {
        public void Report((int Step, int Total) value)
        {
            if (value.Step == step) act();
        }
    }
}
