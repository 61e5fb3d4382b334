using System.Globalization;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Safetensors;

/// <summary>A safetensors file that breaks the format, or a tensor in it that is not what the caller needs.</summary>
public sealed class SafetensorsException : InvalidInputException
{
    private const string FetchAgain = "the file is damaged or was not written by a safetensors library; fetch or export it again";

    private SafetensorsException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    internal static SafetensorsException Unreadable(string path, Exception inner) =>
        new(Sentence(path, $"cannot be read ({inner.Message})", "a readable safetensors file"), inner);

    internal static SafetensorsException TooShort(string path, long sizeBytes) =>
        new(Sentence(path, $"holds {MessageText.Bytes(sizeBytes)}", "at least the 8 bytes of the header length", FetchAgain));

    internal static SafetensorsException HeaderTooLong(string path, ulong lengthBytes, long limitBytes) =>
        new(Sentence(path, string.Create(CultureInfo.InvariantCulture, $"header length {lengthBytes}"),
            $"at most {MessageText.Bytes(limitBytes)}", FetchAgain));

    internal static SafetensorsException Pickled(string path, string found) =>
        new(Sentence(
            path,
            $"is {found}, which is not opened because loading one can run code",
            "a safetensors file",
            PickleSignature.Remedy));

    internal static SafetensorsException HeaderCut(string path, long lengthBytes, long sizeBytes) =>
        new(Sentence(path,
            $"the header needs {MessageText.Bytes(lengthBytes)} after the first 8, the file holds {MessageText.Bytes(sizeBytes)}",
            "a whole header", FetchAgain));

    internal static SafetensorsException Header(string path, string found, string? expected = null, Exception? inner = null) =>
        new(Sentence($"{path}: header", found, expected, FetchAgain), inner);

    internal static SafetensorsException Tensor(string path, string name, string found, string? expected = null, string? remedy = null) =>
        new(Sentence($"{path}: tensor {MessageText.Quote(name)}", found, expected, remedy ?? FetchAgain));

    internal static SafetensorsException Truncated(string path, string name, Int128 neededBytes, long sizeBytes) =>
        new(Sentence(path, $"tensor {MessageText.Quote(name)} ends at byte {neededBytes.ToString(CultureInfo.InvariantCulture)}"
            + $" but the file holds {MessageText.Bytes(sizeBytes)}", "a whole file", "it was cut short; fetch or copy it again"));

    internal static SafetensorsException Uncovered(string path, long coveredBytes, long sizeBytes) =>
        new(Sentence(path, $"the tensors end at byte {coveredBytes.ToString(CultureInfo.InvariantCulture)}"
            + $" but the file holds {MessageText.Bytes(sizeBytes)}", "no bytes after the last tensor", FetchAgain));

    internal static SafetensorsException Missing(string path, string name, IEnumerable<string> known) =>
        new(Sentence(path, $"has no tensor {MessageText.Quote(name)}", null, MessageText.NearestHint(name, known)));

    internal static SafetensorsException NotFloating(string path, TensorEntry entry) =>
        new(Sentence($"{path}: tensor {MessageText.Quote(entry.Name)}", $"dtype {entry.Dtype}", "F32, F16, BF16 or F64",
            "convert the weights to a floating-point dtype"));

    internal static SafetensorsException TooLarge(string path, TensorEntry entry) =>
        new(Sentence($"{path}: tensor {MessageText.Quote(entry.Name)}",
            string.Create(CultureInfo.InvariantCulture, $"{entry.ElementCount} elements"),
            string.Create(CultureInfo.InvariantCulture, $"at most {Array.MaxLength} in one array"), "read it window by window instead"));

    internal static SafetensorsException NotWritable(string path, string name, string found, string? expected = null) =>
        new(Sentence($"{path}: tensor {MessageText.Quote(name)}", found, expected));
}
