using System.Globalization;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Adapters;

/// <summary>An adapter folder or its configuration cannot be used.</summary>
public sealed class AdapterException : InvalidInputException
{
    private AdapterException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    internal static AdapterException At(string where, string found, string? expected = null, Exception? inner = null) =>
        new(Sentence(where, found, expected), inner);

    internal static AdapterException NoFolder(string path) =>
        new(Sentence(path, "no such folder", "an adapter folder with adapter_config.json and adapter_model.safetensors"));

    internal static AdapterException NoFile(string path, string file, string? remedy = null) =>
        new(Sentence(path, $"holds no {file}", "an adapter folder as PEFT's save_pretrained writes it", remedy));

    /// <summary>Weights lie there only as a pickle, which is never opened because a pickle can run code.</summary>
    internal static AdapterException PickledWeights(string path, string file) =>
        new(Sentence(path, $"holds its weights only as {file}, a pickle that is not opened because it can run code",
            "adapter_model.safetensors",
            "convert it once: python -c \"import torch; from safetensors.torch import save_file; "
            + "save_file({k: v.contiguous() for k, v in torch.load('adapter_model.bin', map_location='cpu', weights_only=True).items()}, "
            + "'adapter_model.safetensors', metadata={'format': 'pt'})\""));

    /// <summary>A pickle stands where a folder should.</summary>
    internal static AdapterException PickledFile(string path) =>
        new(Sentence(path, "is a pickle, or an archive of one, that is not opened because loading one can run code",
            "an adapter folder with adapter_config.json and adapter_model.safetensors", PickleSignature.Remedy));

    /// <summary>Settings that change the arithmetic and are not implemented, all of them at once.</summary>
    internal static AdapterException Unsupported(string path, IReadOnlyList<string> settings) =>
        new(Sentence(path, $"unsupported {(settings.Count == 1 ? "setting" : "settings")}: {string.Join("; ", settings)}", "plain LoRA",
            "the results would not be this adapter's"));

    internal static AdapterException Unpaired(string file, string found, string missing) =>
        new(Sentence(file, $"holds {MessageText.Quote(found)} without {MessageText.Quote(missing)}", "both factors of every module"));

    internal static AdapterException WrongRank(string file, string name, IReadOnlyList<long> shape, int rank) =>
        new(Sentence($"{file}: tensor {MessageText.Quote(name)}", $"shape {MessageText.Shape(shape)}",
            string.Create(CultureInfo.InvariantCulture, $"lora_A [{rank}, in] and lora_B [out, {rank}]"),
            "adapter_config.json and the weights belong to different adapters"));

    internal static AdapterException Pattern(string where, string pattern, string found, Exception? inner = null) =>
        new(Sentence(where, $"pattern {MessageText.Quote(pattern)} {found}", "a regular expression that matches module names",
            "list the module names instead"), inner);

    internal static AdapterException TargetExists(string path) =>
        new(Sentence(path, "exists already", "a folder that does not exist yet", "name another folder or remove this one"));
}
