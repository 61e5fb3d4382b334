using System.Diagnostics;
using System.Text.Json;
using LlmStageAudit.Checkpoints.Tests.Tokenization.Reference;

namespace LlmStageAudit.Benchmarks.Tokenization;

/// <summary>Hugging Face's tokenizers in a Node process that waits for rounds and times each itself.</summary>
internal sealed class ReferenceSide : IDisposable
{
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);
    private readonly Process _node;

    /// <exception cref="AbsenceException">No Node, or no registry to install from.</exception>
    public ReferenceSide(string tokenizerPath, IReadOnlyList<string> texts)
    {
        if (ReferenceInstallation.Absence is { } absence) throw AbsenceException.Of(absence);
        _node = ReferenceInstallation.Run("measure.mjs", tokenizerPath);
        _node.StandardInput.WriteLine(JsonSerializer.Serialize(texts));
    }

    /// <param name="round">fresh, again or batch.</param>
    public Pass Measure(string round)
    {
        _node.StandardInput.WriteLine(round);
        _node.StandardInput.Flush();
        return _node.StandardOutput.ReadLine() is { } line
            ? JsonSerializer.Deserialize<Pass>(line, Web)!
            : throw new InvalidOperationException($"node ended: {_node.StandardError.ReadToEnd()}");
    }

    public void Dispose()
    {
        _node.StandardInput.Close();
        _node.WaitForExit();
        _node.Dispose();
    }
}
