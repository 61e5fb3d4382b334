using System.Text.RegularExpressions;
using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Checkpoints.Adapters;

/// <summary>
/// The tensors of an adapter by the names save_pretrained gives them. A file made of a model's state_dict has the adapter's name within
/// each ("lora_A.default.weight") and the modules that modules_to_save stands in for; both are left out where one adapter is there.
/// </summary>
/// <param name="OnDisk">Names in the file by the names they are read under, in file order.</param>
/// <param name="Note">What was done to the names; null for nothing.</param>
internal sealed partial record AdapterNames(IReadOnlyDictionary<string, string> OnDisk, string? Note)
{
    /// <exception cref="CheckpointException">The file holds more than one adapter.</exception>
    public static AdapterNames Of(SafetensorsFile file)
    {
        var adapters = file.Tensors.Keys
            .Select(name => RawName().Match(name))
            .Where(match => match.Success)
            .Select(match => match.Groups["adapter"].Value)
            .Distinct(StringComparer.Ordinal)
            .ToList();
        if (adapters.Count > 1)
        {
            var named = string.Join(", ", adapters.Take(5).Select(MessageText.Quote));
            throw CheckpointException.At(
                file.Path, $"holds the tensors of {adapters.Count} adapters ({named})", "those of one, as save_pretrained writes them",
                "load it in PEFT and save the adapter that is meant");
        }

        var onDisk = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        if (adapters is not [var adapter])
        {
            foreach (var name in file.Tensors.Keys) onDisk.Add(name, name);
            return new AdapterNames(onDisk, null);
        }

        foreach (var name in file.Tensors.Keys.Where(name => !name.Contains(".original_module.", StringComparison.Ordinal)))
        {
            var plain = RawName().Replace(name, static match =>
                match.Groups["kind"].Value.Replace(".modules_to_save", "", StringComparison.Ordinal));
            if (!onDisk.TryAdd(plain, name))
                throw CheckpointException.At(file.Path, $"holds {MessageText.Quote(plain)} under two names", "once");
        }

        return new AdapterNames(
            onDisk,
            $"{file.Path}: the names are those of a state_dict, such as lora_A.{MessageText.Quote(adapter)[1..^1]}.weight; "
            + "they are read as save_pretrained writes them, lora_A.weight");
    }

    [GeneratedRegex(@"(?<kind>\.lora_A|\.lora_B|\.lora_embedding_A|\.lora_embedding_B|\.lora_magnitude_vector|\.modules_to_save)"
        + @"\.(?!weight$|bias$)(?<adapter>[^.]+)(?=\.|$)", RegexOptions.CultureInvariant)]
    private static partial Regex RawName();
}
