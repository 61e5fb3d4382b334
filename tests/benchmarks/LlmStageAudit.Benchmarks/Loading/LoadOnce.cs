using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Benchmarks.Loading;

/// <summary>What one fresh process measured.</summary>
/// <param name="EngineSeconds">From the process's start until the tensor engine had done a small product.</param>
/// <param name="LogitsSeconds">From then until the logits of a text of 16 tokens were in managed memory.</param>
/// <param name="BaselineBytes">Peak resident memory after the small product.</param>
/// <param name="PeakBytes">Peak resident memory at the end.</param>
/// <param name="Torch">The engine's version.</param>
internal sealed record LoadFigures(double EngineSeconds, double LogitsSeconds, long BaselineBytes, long PeakBytes, string Torch);

/// <summary>Loads a model, computes logits once, and prints what that took: the work of a child process.</summary>
internal static class LoadOnce
{
    private const int TextTokens = 16;

    /// <param name="folder">The model folder.</param>
    /// <param name="trains">lora: the base is frozen under an adapter; all: every weight is trainable.</param>
    public static void Run(string folder, string trains)
    {
        set_num_threads(1);
        float first;
        using (NewDisposeScope())
        {
            using var off = no_grad();
            first = matmul(ones([64, 64]), ones([64, 64])).ToArray<float>()[0];
        }

        if (first != 64f) throw new InvalidOperationException($"64 ones add up to {first}");
        var engineSeconds = (DateTime.UtcNow - Process.GetCurrentProcess().StartTime.ToUniversalTime()).TotalSeconds;
        var baselineBytes = PeakBytes();

        var start = Stopwatch.GetTimestamp();
        var lora = new LoraConfig { Rank = 8, Alpha = 8, TargetModules = ["query_key_value"] };
        var (model, state) = LanguageModelLoader.Load(folder, new LanguageModelOptions
        {
            Task = ModelTask.CausalLm,
            Adapter = trains == "lora" ? new AdapterSource(lora, null, "benchmark") : null,
        });
        using (model)
        using (state)
        using (NewDisposeScope())
        {
            using var off = no_grad();
            var batch = TokenBatch.Pad([[.. Enumerable.Range(100, TextTokens)]], padTokenId: null);
            var logits = model.TokenLogits(model.Layout.Split(state), batch).ToArray<float>().ToArray();
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var peakBytes = PeakBytes();
            if (logits.Length != TextTokens * model.VocabularySize || !logits.All(float.IsFinite) || logits.Distinct().Count() < 2)
            {
                throw new InvalidOperationException("the logits are not finite numbers of the expected count");
            }

            Console.WriteLine(JsonSerializer.Serialize(new LoadFigures(engineSeconds, seconds, baselineBytes, peakBytes, TorchEngine.Version)));
        }
    }

    /// <summary>VmHWM: the most memory that was resident at a time, mapped pages of files included.</summary>
    private static long PeakBytes()
    {
        const string key = "VmHWM:";
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(key, StringComparison.Ordinal));
        return 1024 * long.Parse(line.AsSpan(key.Length).Trim(" \tkB"), CultureInfo.InvariantCulture);
    }
}
