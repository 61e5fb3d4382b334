namespace LlmStageAudit.Modeling.Models;

/// <summary>
/// The tensors of a base by the names that its class gives them. Files of the bare model (AutoModel.save_pretrained) lack its prefix, which
/// transformers puts before them; files of a compiled model have "_orig_mod." in each.
/// </summary>
internal sealed class BaseTensorNames
{
    private const string Compiled = "_orig_mod.";

    private readonly Dictionary<string, string> _canonical = [];
    private readonly Dictionary<string, string> _onDisk = [];

    private BaseTensorNames(IEnumerable<string> names, Func<string, string> canonical)
    {
        foreach (var name in names)
        {
            _canonical[name] = canonical(name);
            _onDisk.TryAdd(canonical(name), name);
        }
    }

    /// <summary>How the names differ from the usual ones; null where they do not.</summary>
    public string? Note { get; private init; }

    /// <summary>Reads the names of a checkpoint.</summary>
    /// <param name="names">All of them.</param>
    /// <param name="embedding">The name of the token embedding, which begins with the prefix.</param>
    public static BaseTensorNames Of(IEnumerable<string> names, string embedding)
    {
        var all = names.ToArray();
        var prefix = embedding[..(embedding.IndexOf('.', StringComparison.Ordinal) + 1)];
        var isCompiled = all.Any(name => name.Contains(Compiled, StringComparison.Ordinal));
        var plain = all.Select(Plain).ToHashSet();
        var isBare = plain.Contains(embedding[prefix.Length..]) && !plain.Any(name => name.StartsWith(prefix, StringComparison.Ordinal));
        string?[] notes =
        [
            isBare ? $"its tensors lack '{prefix}', as those of a model without a head; read as if they had it" : null,
            isCompiled ? $"its tensors have '{Compiled}' in their names (torch.compile), which is left out" : null,
        ];
        return new BaseTensorNames(all, name => isBare && !IsHead(Plain(name)) ? prefix + Plain(name) : Plain(name))
        {
            Note = notes.Any(note => note is not null) ? string.Join("; ", notes.OfType<string>()) : null,
        };
    }

    /// <summary>The tensor of the file that has that name in its class, or null.</summary>
    public string? OnDisk(string canonical) => _onDisk.GetValueOrDefault(canonical);

    /// <summary>The name in its class of a tensor of the file.</summary>
    public string Canonical(string onDisk) => _canonical[onDisk];

    private static string Plain(string name) => name.Replace(Compiled, "", StringComparison.Ordinal);

    private static bool IsHead(string name) => name is "lm_head.weight" or "embed_out.weight" or "score.weight";
}
