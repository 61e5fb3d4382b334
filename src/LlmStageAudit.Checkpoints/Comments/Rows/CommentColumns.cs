namespace LlmStageAudit.Checkpoints.Comments.Rows;

/// <summary>The columns all rows of a set share, and where the set comes from.</summary>
internal sealed class CommentColumns
{
    private readonly Dictionary<string, int> _indices = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];

    public CommentColumns(string path) => Path = path;

    public string Path { get; }

    public IReadOnlyList<string> Names => _names;

    /// <summary>Appends a column; false where there is one of that name.</summary>
    public bool TryAdd(string name)
    {
        if (!_indices.TryAdd(name, _names.Count)) return false;
        _names.Add(name);
        return true;
    }

    public bool TryFind(string name, out int index) => _indices.TryGetValue(name, out index);

    public int IndexOf(string name) =>
        TryFind(name, out var index) ? index : throw CommentSetException.NoColumn(Path, name, _names);
}
