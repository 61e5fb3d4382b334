namespace LlmStageAudit.Foundation.Boundaries;

/// <summary>
/// Tells files that carry code for Python's unpickler, by name and by their first bytes. None is ever read further: loading one runs
/// whatever its author put there.
/// </summary>
public static class PickleSignature
{
    /// <summary>First bytes that are enough to tell.</summary>
    internal const int LengthBytes = 6;

    /// <summary>How to get at the tensors of one, without trusting it on a machine that matters.</summary>
    public const string Remedy =
        "convert it where it can do no harm (a container without network or keys): load it with torch.load(..., weights_only=True) and "
        + "write it with save_file of safetensors.torch";

    private static readonly string[] Extensions =
        [".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".npz", ".mar", ".dill"];

    /// <summary>Whether the name is one that pickles, or archives of them, usually have.</summary>
    public static bool IsName(string path) => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// What the first bytes give away, or null. No text in UTF-8 begins with any of these; the length of a safetensors header may,
    /// though not one that is short enough to be accepted.
    /// </summary>
    public static string? Find(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith("PK\u0003\u0004"u8) || start.StartsWith("PK\u0005\u0006"u8)) return "a zip archive, as torch.save writes it";
        if (start.Length >= 6 && start[0] == 0x93 && start[1..].StartsWith("NUMPY"u8)) return "a NumPy file, which may hold a pickle";
        return start.Length >= 2 && start[0] == 0x80 && start[1] is >= 2 and <= 5 ? "a pickle" : null;
    }
}
