using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Walk;

/// <summary>Further seeds are runs of their own: what a user would get who trained and attributed each by hand.</summary>
[Collection(AuditCollection.Name)]
public sealed class SeedsTests(AuditFixture audit)
{
    [Fact]
    public void Effects_over_seeds_are_those_of_runs_trained_under_each()
    {
        var run = Train("over-seeds");
        var said = CommandLine.Json("attribute", run, "--probe", audit.Probe, "--seeds", "2");
        Assert.Equal("over 3 seeds", said.Text("holds"));
        double[][] byHand = [.. Enumerable.Range(0, 3).Select(i => EffectsUnder(7 + i))];
        foreach (var (effect, stage) in said.List("effects").Select((effect, stage) => (effect, stage)))
        {
            var over = effect.GetProperty("overSeeds");
            Assert.Equal(3, over.Count("seeds"));
            Assert.Equal(byHand.Select(effects => effects[stage]), over.List("values").Select(value => value.GetDouble()));
            Assert.Equal(byHand.Average(effects => effects[stage]), over.Number("mean"), 1e-12);
            Assert.InRange(over.Number("mean"), over.Number("low"), over.Number("high"));
            Assert.InRange(over.Number("luck"), 0, 1);
            Assert.Equal(over.Number("adjustedPValue") <= 0.05 ? "yes" : "no", over.Text("significant"));
        }

        // What is complete is left alone, and one more seed is one more run.
        var trained = File.GetLastWriteTimeUtc(Path.Combine(run, "seeds", "8", "manifest.json"));
        var ranked = CommandLine.Json("rank", run, "--probe", audit.Probe, "--confounder", "blue", "--seeds", "3");
        Assert.Equal(trained, File.GetLastWriteTimeUtc(Path.Combine(run, "seeds", "8", "manifest.json")));
        Assert.Equal(["10", "8", "9"], Directory.GetDirectories(Path.Combine(run, "seeds")).Select(Path.GetFileName).Order());
        Assert.All(ranked.List("ranking"), stage => Assert.Equal(4, stage.GetProperty("overSeeds").Count("seeds")));
        Assert.Equal("second", ranked.List("ranking")[0].Text("stage"));
        Assert.Equal("yes", ranked.List("ranking")[0].GetProperty("overSeeds").Text("significant"));
        var means = ranked.List("ranking").Select(stage => stage.GetProperty("overSeeds").Number("mean")).ToArray();
        Assert.Equal(means.OrderDescending(), means);
        CommandLine.Succeed("verify-log", run, "--replay", "2");
        Assert.Contains("this data does that", CommandLine.Succeed("rank", run, "--probe", audit.Probe, "--confounder", "blue", "--seeds", "3").Output);

        double[] EffectsUnder(int seed)
        {
            var other = audit.At($"seed-{seed}");
            CommandLine.Json("train", audit.At("sgd.yaml"), "--out", other, "--set", $"seed={seed}");
            return [.. CommandLine.Json("attribute", other, "--probe", audit.Probe).List("effects").Numbers("estimate")];
        }
    }

    [Fact]
    public void A_base_of_random_weights_stays_the_same_under_another_seed()
    {
        var run = audit.At("random-base");
        string[] train =
        [
            "train", audit.At("sgd.yaml"), "--set", "model.path=shape", "--set", "model.weights=random",
        ];
        CommandLine.Json([.. train, "--out", run]);
        var said = CommandLine.Json("attribute", run, "--probe", audit.Probe, "--seeds", "1");
        var other = audit.At("random-base-by-hand");
        CommandLine.Json([.. train, "--out", other, "--set", "seed=8", "--set", "model.seed=7"]);
        Assert.Equal(
            CommandLine.Json("attribute", other, "--probe", audit.Probe).List("effects").Numbers("estimate"),
            said.List("effects").Select(effect => effect.GetProperty("overSeeds").List("values")[1].GetDouble()));
    }

    [Theory]
    [InlineData("--gradient", "recorded", "given with replay-recorded")]
    [InlineData("--budget", "2x", "--budget")]
    public void What_is_no_exact_answer_of_whole_stages_is_not_asked_of_other_seeds(string option, string value, string found)
    {
        var outcome = CommandLine.Run("attribute", audit.Run, "--probe", audit.Probe, "--seeds", "2", option, value);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--seeds", Assert.Single(outcome.ErrorLines));
        Assert.Contains(found, outcome.Error);
    }

    [Fact]
    public void Without_other_seeds_an_answer_is_of_this_run()
    {
        var outcome = CommandLine.Succeed("attribute", audit.Run, "--probe", audit.Probe);
        Assert.Contains("significant in this run", outcome.Output);
        Assert.Contains("another seed may say otherwise", outcome.Error);
        Assert.Equal("in this run", CommandLine.Json("attribute", audit.Run, "--probe", audit.Probe).Text("holds"));
        Assert.Equal(
            "in this run", CommandLine.Json("rank", audit.Run, "--probe", audit.Probe, "--confounder", "blue").Text("holds"));
    }

    private string Train(string name)
    {
        CommandLine.Json("train", audit.At("sgd.yaml"), "--out", audit.At(name));
        return audit.At(name);
    }
}
