using System.Text.Json;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Cases;

/// <summary>What tests of cases ask commands and weight files: losses, logits, tensors.</summary>
internal static class CaseModels
{
    /// <summary>The last loss of each stage of a run of its own, with settings over the configuration's.</summary>
    public static double[] Losses(string config, string run, params string[] settings)
    {
        string[] overrides = [.. settings.SelectMany(setting => new[] { "--set", setting })];
        return LossesOf(CommandLine.Run(["train", config, "--out", run, "--json", .. overrides]));
    }

    public static double[] LossesOf(CommandOutcome outcome)
    {
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        return outcome.Json.List("stages").Numbers("loss");
    }

    /// <summary>The logits of every example that a command evaluates.</summary>
    public static double[][] Logits(params string[] command) => LogitsOf(CommandLine.Json([.. command, "--per-example"]));

    public static double[][] LogitsOf(JsonElement evaluation) =>
        [.. evaluation.List("perExample").Select(row => row.List("logits").Select(logit => logit.GetDouble()).ToArray())];

    public static void CheckLogits(double[][] expected, double[][] found, double tolerance)
    {
        Assert.Equal(expected.Length, found.Length);
        foreach (var (first, second) in expected.Zip(found)) Assert.Equal(first, second, (x, y) => Math.Abs(x - y) <= tolerance);
    }

    public static Dictionary<string, float[]> Tensors(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return file.Tensors.Keys.ToDictionary(name => name, file.ReadSingles);
    }

    /// <summary>Writes a weight file anew in its folder; what a tensor becomes is told, null for nothing.</summary>
    public static void Rewrite(string folder, string name, Func<HostTensor, HostTensor?> change, params HostTensor[] more)
    {
        var path = Path.Combine(folder, name);
        HostTensor[] tensors;
        using (var file = SafetensorsFile.Open(path))
        {
            tensors = [.. file.Tensors.Values.Select(entry =>
                change(new HostTensor(entry.Name, entry.Shape, file.ReadSingles(entry.Name)))).OfType<HostTensor>()];
        }

        File.Delete(path);
        SafetensorsWriter.Write(path, [.. tensors, .. more]);
    }
}
