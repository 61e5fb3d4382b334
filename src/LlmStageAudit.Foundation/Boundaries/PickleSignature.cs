namespace LlmStageAudit.Foundation.Boundaries;

/// <summary>
/// Tells files that carry code for Python's unpickler by name; <see cref="FileSignature"/> tells them by their first bytes. None is ever
/// read further: loading one runs whatever its author put there.
/// </summary>
public static class PickleSignature
{
    /// <summary>How to get at the tensors of one, without trusting it on a machine that matters.</summary>
    public const string Remedy =
        "convert it where it can do no harm (a container without network or keys): load it with torch.load(..., weights_only=True) and "
        + "write it with save_file of safetensors.torch";

    private static readonly string[] Extensions =
        [".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".npz", ".mar", ".dill"];

    /// <summary>Whether the name is one that pickles, or archives of them, usually have.</summary>
    public static bool IsName(string path) => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);
}
