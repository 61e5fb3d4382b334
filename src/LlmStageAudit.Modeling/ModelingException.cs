using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Modeling;

/// <summary>A model, an adapter and a data set that do not go together.</summary>
internal sealed class ModelingException : InvalidInputException
{
    private ModelingException(string message)
        : base(message)
    {
    }

    public static ModelingException At(string where, string found, string? expected = null, string? remedy = null) =>
        new(Sentence(where, found, expected, remedy));

    /// <summary>A checkpoint or adapter lacks a tensor; one of a like name among those present is named, and others missing.</summary>
    public static ModelingException MissingTensor(
        string where, string name, IEnumerable<string>? present = null, IReadOnlyList<string>? others = null)
    {
        var beside = others switch
        {
            null or [] => "",
            { Count: <= 5 } => $", and so are {string.Join(", ", others)}",
            _ => $", and so are {others.Count} others ({string.Join(", ", others.Take(5))}, ...)",
        };
        var nearest = Suggestion.Nearest(name, present ?? []);
        var remedy = nearest is null ? "the file is not a whole checkpoint" : $"found '{nearest}'";
        return At(where, $"tensor '{name}' is missing{beside}", null, remedy);
    }

    public static void RequireShape(string where, string name, IReadOnlyList<long> found, IReadOnlyList<long> expected)
    {
        if (found.SequenceEqual(expected)) return;
        throw At(
            where, $"tensor '{name}' has shape [{string.Join(", ", found)}]", $"[{string.Join(", ", expected)}]",
            "the weights and the configuration disagree");
    }
}
