namespace LlmStageAudit.Seals.Logs;

/// <summary>Which sealed log of the run a record's hash belongs to, to say where a record that was moved comes from.</summary>
internal sealed class LogOrigins
{
    private readonly Dictionary<string, (string Path, int Record)> _origins = [];

    public LogOrigins(IEnumerable<SealedLog> logs)
    {
        foreach (var log in logs)
        {
            foreach (var (index, mark) in log.Marks.Index()) _origins.TryAdd(mark, (log.Path, (index + 1) * log.MarkInterval));
        }
    }

    public (string Path, int Record)? Of(LogPiece piece) =>
        piece.IsRecord && _origins.TryGetValue(Convert.ToHexStringLower(piece.Frame.Hash), out var origin) ? origin : null;
}
