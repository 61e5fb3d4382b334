using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Checkpoints.Adapters;

/// <summary>
/// The tensors of an adapter by the names save_pretrained gives them. A file made of a model's state_dict has the adapter's name within
/// each ("lora_A.default.weight") and the modules that modules_to_save stands in for; both are left out where one adapter is there, and
/// so is the "_orig_mod" of a compiled model.
/// </summary>
/// <param name="OnDisk">Names in the file by the names they are read under, in file order.</param>
/// <param name="Note">What was done to the names; null for nothing.</param>
internal sealed record AdapterNames(IReadOnlyDictionary<string, string> OnDisk, string? Note)
{
    private const string SavedModule = "modules_to_save";
    private const string Compiled = "_orig_mod";

    /// <summary>What an adapter's name follows in a state_dict.</summary>
    private static readonly string[] Holders =
        ["lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B", "lora_magnitude_vector", SavedModule];

    /// <summary>Reads the names of a file.</summary>
    /// <exception cref="CheckpointException">The file holds more than one adapter.</exception>
    public static AdapterNames Of(SafetensorsFile file)
    {
        var adapters = file.Tensors.Keys.Select(name => Split(name).Adapter).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        if (adapters.Count > 1)
        {
            var named = string.Join(", ", adapters.Take(5).Select(MessageText.Quote));
            throw CheckpointException.At(
                file.Path, $"holds the tensors of {adapters.Count} adapters ({named})", "those of one, as save_pretrained writes them",
                "load it in PEFT and save the adapter that is meant");
        }

        var onDisk = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in file.Tensors.Keys)
        {
            if (adapters.Count > 0 && name.Contains(".original_module.", StringComparison.Ordinal)) continue;
            if (!onDisk.TryAdd(Split(name).Plain, name))
                throw CheckpointException.At(file.Path, $"holds {MessageText.Quote(Split(name).Plain)} under two names", "once");
        }

        var odd = adapters is [var adapter] ? $"lora_A.{MessageText.Quote(adapter)[1..^1]}.weight"
            : file.Tensors.Keys.Any(name => name.Contains(Compiled, StringComparison.Ordinal)) ? $"{Compiled}.NAME"
            : null;
        return new AdapterNames(onDisk, odd is null ? null
            : $"{file.Path}: the names are those of a state_dict, such as {odd}; they are read as save_pretrained writes them");
    }

    /// <summary>The name without that of an adapter, and the latter; null where there is none in it.</summary>
    private static (string Plain, string? Adapter) Split(string name)
    {
        var parts = name.Split('.').Where(part => part != Compiled).ToList();
        var holder = parts.FindIndex(Holders.Contains);
        if (holder < 0 || holder + 1 >= parts.Count || parts[holder + 1] is "weight" or "bias") return (string.Join('.', parts), null);
        var adapter = parts[holder + 1];
        var from = parts[holder] == SavedModule ? holder : holder + 1;
        parts.RemoveRange(from, holder + 2 - from);
        return (string.Join('.', parts), adapter);
    }
}
