using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Walk;

[Collection(AuditCollection.Name)]
public sealed class RankTests(AuditFixture audit)
{
    [Fact]
    public void The_stage_that_ties_the_group_to_the_label_ranks_first()
    {
        var said = CommandLine.Json("rank", audit.Run, "--probe", audit.Probe, "--confounder", "blue");
        var ranking = said.List("ranking");
        Assert.Equal(TinyWorkspace.Stages.Order(), ranking.Texts("stage").Order());
        Assert.Equal("second", ranking[0].Text("stage"));
        Assert.True(ranking[0].Text("significant") == "yes", said.GetRawText());
        Assert.Equal(ranking.Numbers("score").OrderDescending(), ranking.Numbers("score"));
        foreach (var stage in ranking)
        {
            Assert.InRange(stage.Number("score"), stage.Number("low"), stage.Number("high"));
            Assert.Equal(stage.Number("observedGap") - stage.Number("counterfactualGap"), stage.Number("score"), 1e-9);
            Assert.Equal(stage.Number("adjustedPValue") <= 0.05 ? "yes" : "no", stage.Text("significant"));
        }
    }

    [Fact]
    public void The_observed_gap_is_that_of_the_evaluated_log_odds()
    {
        var first = CommandLine.Json("rank", audit.Run, "--probe", audit.Probe, "--confounder", "blue").List("ranking")[0];
        var blue = File.ReadLines(audit.At("probe.jsonl")).Select(line => line.Contains("\"blue\":1", StringComparison.Ordinal));
        var examples = CommandLine.Json("evaluate", audit.Run, "--probe", audit.Probe, "--per-example").List("perExample").Zip(blue)
            .Select(pair =>
        {
            var logits = pair.First.List("logits");
            return (Odds: logits[1].GetDouble() - logits[0].GetDouble(), Label: pair.First.Count("label"), Blue: pair.Second);
        }).ToLookup(example => (example.Label, example.Blue), example => example.Odds);
        // Both labels have as many examples in the group as outside it, so that any sensible weighting of the labels is the plain mean.
        double Gap(int label) => examples[(label, true)].Average() - examples[(label, false)].Average();
        Assert.Equal((Gap(0) + Gap(1)) / 2, first.Number("observedGap"), 1e-9);
    }

    [Fact]
    public void Effects_on_other_rows_of_the_probes_data_are_not_taken_for_this_probe()
    {
        // As many rows, of the same file, under the same name.
        string Half(string rows) => TinyWorkspace.Probe.Replace("name: identity", "name: half", StringComparison.Ordinal)
            .Replace("path: probe.jsonl,", $"path: probe.jsonl, {rows},", StringComparison.Ordinal);
        var first = string.Join(", ", Enumerable.Range(1, 32).Select(i => $"'probe-{i}'"));
        File.WriteAllText(audit.At("half.yaml"), Half("limit: 32"));
        CommandLine.Json("rank", audit.Run, "--probe", audit.At("half.yaml"), "--confounder", "blue");
        File.WriteAllText(audit.At("half.yaml"), Half($"where: \"not (id in ({first}))\""));
        var path = CommandLine.Json("rank", audit.Run, "--probe", audit.At("half.yaml"), "--confounder", "blue").Text("effectsPath");
        Assert.Equal(
            Enumerable.Range(33, 32).Select(i => $"probe-{i}"), JsonReading.ReadFile(path).GetProperty("observed").List("examples")
                .Texts("id"));
    }

    [Fact]
    public void Several_confounders_share_one_false_discovery_rate()
    {
        var probe = TinyWorkspace.Probe.Replace("[blue]", "[blue, 'blue == 0']", StringComparison.Ordinal)
            .Replace("name: identity", "name: two", StringComparison.Ordinal);
        File.WriteAllText(audit.At("two.yaml"), probe);
        var ranking = CommandLine.Json("rank", audit.Run, "--probe", audit.At("two.yaml"), "--confounder", "blue", "blue == 0").List("ranking");
        Assert.Equal(["blue", "blue", "blue", "blue == 0", "blue == 0", "blue == 0"], ranking.Texts("confounder"));
        Assert.All(ranking, stage => Assert.Equal((32, 32), (stage.Count("members"), stage.Count("others"))));
        var sorted = ranking.Numbers("pValue").Order().ToArray();
        foreach (var stage in ranking)
        {
            // Benjamini-Hochberg: the least p_k m / k among those not below this one.
            var adjusted = sorted.Select((p, i) => (p, Scaled: p * sorted.Length / (i + 1)))
                .Where(one => one.p >= stage.Number("pValue")).Min(one => one.Scaled);
            Assert.Equal(Math.Min(1, adjusted), stage.Number("adjustedPValue"), 1e-12);
        }
    }

    [Fact]
    public void Without_json_the_ranking_is_a_table()
    {
        var outcome = CommandLine.Succeed("rank", audit.Run, "--probe", audit.Probe, "--confounder", "blue", "--gradient", "recorded");
        Assert.Contains("'blue'", outcome.Output);
        Assert.All(TinyWorkspace.Stages, stage => Assert.Contains(stage, outcome.Output));
    }

    [Fact]
    public void A_group_the_probe_does_not_have_is_refused_with_a_suggestion()
    {
        var outcome = CommandLine.Run("rank", audit.Run, "--probe", audit.Probe, "--confounder", "blu");
        Assert.Equal(3, outcome.ExitCode);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains("no group 'blu'", line);
        Assert.Contains("did you mean 'blue'?", line);
    }
}
