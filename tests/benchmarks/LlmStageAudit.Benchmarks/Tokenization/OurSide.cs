using System.Diagnostics;
using LlmStageAudit.Checkpoints.Tokenization;

namespace LlmStageAudit.Benchmarks.Tokenization;

/// <summary>Our tokenizer, in this process and on this thread.</summary>
internal sealed class OurSide(string tokenizerPath, IReadOnlyList<string> texts)
{
    private HuggingFaceTokenizer? _tokenizer;

    /// <param name="fresh">A new tokenizer, whose cache of pieces is empty; else the last one.</param>
    public Pass Measure(bool fresh)
    {
        if (fresh || _tokenizer is null) _tokenizer = HuggingFaceTokenizer.Load(tokenizerPath);
        GC.Collect();
        var all = new List<int[]>(texts.Count);
        var start = Stopwatch.GetTimestamp();
        foreach (var text in texts) all.Add(_tokenizer.Encode(text, addSpecialTokens: true));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var (tokens, checksum) = (0L, 0);
        foreach (var id in all.SelectMany(static ids => ids)) (tokens, checksum) = (tokens + 1, unchecked((checksum * 31) + id));
        return new Pass(seconds, tokens, checksum);
    }
}
