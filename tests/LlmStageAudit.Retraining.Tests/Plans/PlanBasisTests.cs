using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Retraining.Plans;
using LlmStageAudit.Retraining.Tests.Runs;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Retraining.Tests.Plans;

/// <summary>What a plan goes by, in run folders that hold a manifest and made-up results.</summary>
[Collection(TinyRunCollection.Name)]
public sealed class PlanBasisTests : IDisposable
{
    private readonly TemporaryFolder _temporary = new();
    private readonly RetrainableRun _run;
    private readonly RunFolder _folder;
    private int _minutes;

    public PlanBasisTests(RetrainableRun run)
    {
        (_run, _folder) = (run, RunFolder.Create(_temporary.At("run")));
        _folder.WriteManifest(run.Manifest);
    }

    public void Dispose() => _temporary.Dispose();

    /// <summary>Each grade beats all that are worse, whichever file is newer.</summary>
    [Fact]
    public void The_best_trusted_answer_is_taken_and_never_the_newest()
    {
        foreach (var newestIsBest in new[] { false, true })
        {
            var grades = Enum.GetValues<TrustGrade>().Where(grade => grade != TrustGrade.Verified);
            foreach (var grade in newestIsBest ? grades.Reverse() : grades) Write($"{grade}", Graded(grade, "recorded"));
            foreach (var grade in grades)
            {
                var basis = PlanBasis.Of(_folder, ["second"], null);
                Assert.Equal(_folder.EffectsPath($"{grade}"), basis.Predictions!.Path);
                var spelled = EnumSpelling<TrustGrade>.Of(grade);
                Assert.StartsWith(
                    $"predicted by effects/{grade}.json (log-likelihood on probe, replay-recorded, trust {spelled})", basis.Reason,
                    StringComparison.Ordinal);
                Assert.Equal(grade != TrustGrade.Unknown, basis.Reason.EndsWith("that are filed", StringComparison.Ordinal));
                File.Delete(basis.Predictions.Path);
            }
        }
    }

    [Fact]
    public void What_counts_is_the_trust_in_the_stages_that_are_left_out()
    {
        var effects = Graded(TrustGrade.Low, "recorded");
        Write("mixed", effects with
        {
            Effects = [.. effects.Effects.Select(effect => effect with { Trust = effect.Stage == "third" ? TrustGrade.Exact : effect.Trust })],
        });
        Write("even", Graded(TrustGrade.High, "recorded"));
        Assert.Equal(_folder.EffectsPath("mixed"), PlanBasis.Of(_folder, ["third"], null).Predictions!.Path);
        Assert.Equal(_folder.EffectsPath("even"), PlanBasis.Of(_folder, ["third", "first"], null).Predictions!.Path);
    }

    [Fact]
    public void A_result_that_retraining_confirmed_is_better_than_one_that_checks_foretell()
    {
        Write("high", Graded(TrustGrade.High, "recorded"));
        var confirmed = Graded(TrustGrade.Low, "sampled");
        Write("confirmed", confirmed);
        Verify(confirmed, error: 0.01);
        var basis = PlanBasis.Of(_folder, ["second"], null);
        Assert.Equal(_folder.EffectsPath("confirmed"), basis.Predictions!.Path);
        Assert.Contains("trust verified", basis.Reason);
        Verify(confirmed, error: 0.3);
        Assert.Equal(_folder.EffectsPath("high"), PlanBasis.Of(_folder, ["second"], null).Predictions!.Path);
    }

    [Fact]
    public void Only_effects_of_whole_stages_of_this_run_are_of_use()
    {
        Write("stages", Graded(TrustGrade.Low, "recorded"));
        Write("by-step", Graded(TrustGrade.Exact, "recorded") with { Treatment = new Treatment.EachStep() });
        Write("by-steps", Graded(TrustGrade.Exact, "recorded") with { Treatment = new Treatment.Steps() });
        Write("foreign", Graded(TrustGrade.Exact, "recorded") with { RunId = "another" });
        Assert.Equal(_folder.EffectsPath("stages"), PlanBasis.Of(_folder, ["second"], null).Predictions!.Path);
    }

    [Fact]
    public void Named_stages_need_no_prediction_and_different_questions_give_none()
    {
        var none = PlanBasis.Of(_folder, ["second"], null);
        Assert.Null(none.Predictions);
        Assert.Equal("no effects of whole stages are filed, so that nothing is predicted", none.Reason);
        Write("one", Graded(TrustGrade.High, "recorded"));
        Write("other", Graded(TrustGrade.Exact, "exact") with { Metric = "margin" });
        var ambiguous = PlanBasis.Of(_folder, ["second"], null);
        Assert.Null(ambiguous.Predictions);
        Assert.StartsWith(
            "effects on different questions are filed (effects/one.json, effects/other.json)", ambiguous.Reason, StringComparison.Ordinal);
        Assert.Equal(_folder.EffectsPath("one"), PlanBasis.Of(_folder, ["second"], _folder.EffectsPath("one")).Predictions!.Path);
        var refused = Assert.Throws<RetrainingException>(() => PlanBasis.Automatic(_folder, 1, null));
        Assert.Equal(ErrorKind.Request, refused.Kind);
        Assert.Contains("name the one to plan by with the result to plan by FILE", refused.Message);
    }

    [Fact]
    public void Files_of_another_run_are_refused()
    {
        var foreign = _temporary.At("foreign.json");
        ArtifactJson.Write(foreign, Graded(TrustGrade.Exact, "exact") with { RunId = "another" });
        var refused = Assert.Throws<RetrainingException>(() => PlanBasis.Of(_folder, ["second"], foreign));
        Assert.Contains($"belongs to run another; expected run {_run.Manifest.RunId}", refused.Message);
        ArtifactJson.Write(foreign, Ranking("blue", TrustGrade.Exact, "first") with { RunId = "another" });
        Assert.Throws<RetrainingException>(() => PlanBasis.Automatic(_folder, 1, foreign));
    }

    [Fact]
    public void Choosing_needs_results_and_prefers_a_ranking_to_the_size_of_effects()
    {
        Assert.Throws<RetrainingException>(() => PlanBasis.Automatic(_folder, 1, null));
        Write("a", Graded(TrustGrade.High, "recorded"));
        var bySize = PlanBasis.Automatic(_folder, 2, null);
        Assert.Equal(["second", "third"], bySize.Skip);
        Assert.StartsWith("the largest effects; predicted by effects/a.json", bySize.Reason, StringComparison.Ordinal);

        Write("blue", Ranking("blue", TrustGrade.High, "third", "first", "second"));
        var ranked = PlanBasis.Automatic(_folder, 2, null);
        Assert.Equal(["third", "first"], ranked.Skip);
        Assert.StartsWith(
            "the first of rankings/blue.json (blue on probe, trust high); predicted by effects/a.json", ranked.Reason,
            StringComparison.Ordinal);
        Assert.Equal(_folder.EffectsPath("a"), ranked.Predictions!.Path);
        Assert.Equal(["third", "first", "second"], PlanBasis.Automatic(_folder, 99, null).Skip);
        Assert.Equal(["second"], PlanBasis.Automatic(_folder, 1, _folder.EffectsPath("a")).Skip);
    }

    [Fact]
    public void Of_rankings_by_one_confounder_the_best_trusted_counts_of_others_the_named_one()
    {
        Write("a", Graded(TrustGrade.Exact, "exact"));
        Write("blue-exact", Ranking("blue", TrustGrade.Exact, "third"));
        Write("blue-recorded", Ranking("blue", TrustGrade.Medium, "first"));
        Assert.Equal(["third"], PlanBasis.Automatic(_folder, 1, null).Skip);
        Write("red", Ranking("red", TrustGrade.Exact, "second"));
        var refused = Assert.Throws<RetrainingException>(() => PlanBasis.Automatic(_folder, 1, null));
        Assert.Contains("rankings/blue-exact.json, rankings/blue-recorded.json, rankings/red.json", refused.Message);
        var named = PlanBasis.Automatic(_folder, 1, _folder.RankingsPath("red"));
        Assert.Equal(["second"], named.Skip);
        Assert.Contains("as asked for; predicted by effects/a.json", named.Reason);
    }

    /// <summary>A ranking by estimates is a choice of stages; what they do is predicted by the best that is filed on its question.</summary>
    [Fact]
    public void Predictions_are_of_the_rankings_own_probe_and_metric()
    {
        var recorded = Graded(TrustGrade.Low, "recorded");
        Write("recorded", recorded);
        Write("exact", Graded(TrustGrade.Exact, "exact"));
        Write("margin", Graded(TrustGrade.Exact, "exact") with { Metric = "margin" });
        Write("blue", Ranking("blue", TrustGrade.Low, "second") with
        {
            EffectsPath = _folder.EffectsPath("recorded"),
            Effects = recorded.Identity,
        });
        Assert.Equal(_folder.EffectsPath("exact"), PlanBasis.Automatic(_folder, 1, null).Predictions!.Path);
    }

    private EffectsArtifact Graded(TrustGrade grade, string source)
    {
        var effects = _run.Effects(("first", [.1]), ("second", [-.9]), ("third", [.5]));
        return effects with
        {
            Estimator = Estimator.Parse(source),
            ToolVersion = RunEngine.ToolVersion,
            Effects = [.. effects.Effects.Select(effect => effect with { Trust = grade })],
        };
    }

    private RankingArtifact Ranking(string confounder, TrustGrade grade, params string[] stages)
    {
        var effects = Graded(grade, "recorded");
        return new RankingArtifact
        {
            RunId = effects.RunId, Run = _folder.Root, CreatedUtc = DateTime.UnixEpoch, Confounder = confounder, Probe = effects.Probe,
            EffectsPath = _folder.EffectsPath("a"),
            Ranking =
            [
                .. stages.Select(stage => new RankedStage
                {
                    Stage = stage, Score = 0, Low = 0, High = 0, PValue = 1, AdjustedPValue = 1, Significant = Significance.No,
                    ObservedGap = 0, CounterfactualGap = 0, Trust = grade,
                }),
            ],
        };
    }

    private void Verify(EffectsArtifact effects, double error) => ArtifactJson.Write(
        _folder.VerificationPath("v"),
        new VerificationArtifact
        {
            RunId = effects.RunId, PlanPath = "p", EffectsPath = "e", Predictions = effects.Identity, CreatedUtc = DateTime.UnixEpoch,
            Gradient = effects.Source, Passed = true,
            Stages =
            [
                .. effects.Effects.Select(effect => new VerifiedStage
                {
                    Stage = effect.Stage, Estimator = effects.Estimator, Predicted = 1, Measured = 1, Pearson = 1, Spearman = 1,
                    RelativeError = error, Examples = 0,
                }),
            ],
        });

    private void Write(string id, EffectsArtifact effects)
    {
        ArtifactJson.Write(_folder.EffectsPath(id), effects);
        File.SetLastWriteTimeUtc(_folder.EffectsPath(id), DateTime.UnixEpoch.AddMinutes(++_minutes));
    }

    private void Write(string id, RankingArtifact ranking)
    {
        ArtifactJson.Write(_folder.RankingsPath(id), ranking);
        File.SetLastWriteTimeUtc(_folder.RankingsPath(id), DateTime.UnixEpoch.AddMinutes(++_minutes));
    }
}
