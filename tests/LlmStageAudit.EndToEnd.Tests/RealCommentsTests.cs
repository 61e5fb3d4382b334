using System.Text.Json;
using LlmStageAudit.Testing;

namespace LlmStageAudit.EndToEnd.Tests;

/// <summary>
/// The whole job on real tweets with the real Pythia tokenizer: a GPT-NeoX of Pythia-14M's shape, three stages by the group a
/// tweet is aimed at, train to report. Toxic: `normal` is not among the sentiments.
/// </summary>
public sealed class RealCommentsTests
{
    [SharedFact("data/comments/mlma_en.csv")]
    public async Task Train_to_report_on_real_comments()
    {
        using var folder = new TemporaryFolder();
        WriteModel(folder);
        folder.Write("run.yaml", Configuration());
        folder.Write("probe.yaml", Probe());
        var run = folder.At("run");

        var trained = await CommandLine.JsonAsync("train", folder.At("run.yaml"), "--out", run);
        Assert.Equal(
            ["origin", "gender", "disability"],
            trained.GetProperty("stages").EnumerateArray().Select(stage => stage.GetProperty("name").GetString()));
        Assert.Equal(9, trained.GetProperty("steps").GetInt32());

        foreach (var gradient in new[] { "exact", "recorded" })
            await CommandLine.JsonAsync("attribute", run, "--probe", folder.At("probe.yaml"), "--gradient", gradient);
        var ranking = await CommandLine.JsonAsync("rank", run, "--probe", folder.At("probe.yaml"), "--confounder", "group == 'women'");
        Assert.Equal(3, ranking.GetProperty("ranking").GetArrayLength());

        // The recorded estimate is the newer file.
        var plan = await CommandLine.JsonAsync("plan", run, "--skip", "origin", "gender", "disability");
        Assert.EndsWith("tweets.replay-exact.stage.json", plan.GetProperty("effectsPath").GetString(), StringComparison.Ordinal);
        var jobs = await CommandLine.JsonAsync("retrain", Path.Combine(run, "plan.json"));
        Assert.All(jobs.GetProperty("jobs").EnumerateArray(), job => Assert.Equal("completed", job.GetProperty("state").GetString()));

        await VerifyAsync(run, "exact", minPearson: 0.99);

        var report = await CommandLine.JsonAsync("report", run);
        var page = await File.ReadAllTextAsync(report.GetProperty("report").GetString()!);
        foreach (var stage in new[] { "origin", "gender", "disability" }) Assert.Contains(stage, page, StringComparison.Ordinal);
    }

    private static async Task VerifyAsync(string run, string gradient, double minPearson)
    {
        var effects = Path.Combine(run, "effects", $"tweets.replay-{gradient}.stage.json");
        var verified = await CommandLine.JsonAsync(
            "verify", Path.Combine(run, "plan.json"), "--effects", effects,
            "--min-pearson", FormattableString.Invariant($"{minPearson}"));
        foreach (var stage in verified.GetProperty("stages").EnumerateArray())
        {
            Assert.True(stage.GetProperty("pearson").GetDouble() >= minPearson, $"{gradient}: {stage}");
            if (gradient == "exact") Assert.True(stage.GetProperty("bitIdentical").GetBoolean());
        }
    }

    private static void WriteModel(TemporaryFolder folder)
    {
        Directory.CreateDirectory(folder.At("model"));
        File.Copy(SharedData.At("data", "pythia", "tokenizer.json"), folder.At("model", "tokenizer.json"));
        folder.Write("model/config.json", JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["architectures"] = new[] { "GPTNeoXForCausalLM" },
            ["model_type"] = "gpt_neox",
            ["hidden_size"] = 128,
            ["intermediate_size"] = 512,
            ["num_hidden_layers"] = 6,
            ["num_attention_heads"] = 4,
            ["vocab_size"] = 50304,
            ["max_position_embeddings"] = 2048,
            ["rotary_pct"] = 0.25,
            ["rotary_emb_base"] = 10000,
            ["use_parallel_residual"] = true,
            ["hidden_act"] = "gelu",
            ["bos_token_id"] = 0,
            ["eos_token_id"] = 0,
            ["pad_token_id"] = 1,
        }));
    }

    private static string Configuration()
    {
        var stages = new[] { "origin", "gender", "disability" }
            .Select(target => $"  - {{ name: {target}, data: {Data($"target == '{target}'", 75)} }}");
        return $$"""
            model: { path: model, task: sequence-classification, labels: 2, maxLength: 40, weights: random }
            adapter: { recipe: {{Path.Combine(SharedData.RepositoryRoot, "adapters", "pythia")}} }
            optimizer: { name: sgd, learningRate: 3e-3, momentum: 0.9, weightDecay: 1e-5 }
            schedule: { name: linear, warmupRatio: 0.03 }
            seed: 7
            batchSize: 25
            stages:
            {{string.Join("\n", stages)}}
            """;
    }

    private static string Probe() => $$"""
        name: tweets
        data: {{Data(
            "target in ('religion', 'sexual_orientation', 'other')", 60, ", groups: [\"group == 'women'\", \"group == 'muslims'\"]")}}
        """;

    private static string Data(string where, int limit, string more = "") =>
        $"{{ path: {SharedData.At("data", "comments", "mlma_en.csv")}, text: tweet, "
        + $"label: \"not (sentiment contains 'normal')\", where: \"{where}\", limit: {limit}, id: HITId{more} }}";
}
