using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Records.Runs;

namespace LlmStageAudit.Benchmarks.Determinism;

/// <summary>The adapter at the end of a run as one vector.</summary>
internal static class FinalState
{
    public static double[] Read(string run)
    {
        var folder = RunFolder.Open(run);
        using var file = SafetensorsFile.Open(Path.Combine(folder.FinalStateFolder(folder.ReadManifest()), AdapterFolder.WeightsFile));
        return [.. file.Tensors.Keys.Order(StringComparer.Ordinal).SelectMany(file.ReadSingles).Select(value => (double)value)];
    }
}
