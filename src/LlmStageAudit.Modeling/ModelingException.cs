using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Modeling;

/// <summary>A model, an adapter and a data set that do not go together.</summary>
internal sealed class ModelingException : InvalidInputException
{
    private ModelingException(string message)
        : base(message)
    {
    }

    public static ModelingException UnknownFamily(string where, string found, IEnumerable<string> known) =>
        new(Sentence(where, $"model_type '{found}' is not supported", string.Join(", ", known)));

    /// <summary>A checkpoint or adapter lacks a tensor.</summary>
    /// <param name="where">The file or folder.</param>
    /// <param name="name">What is missing.</param>
    /// <param name="nearest">A tensor of a like name that is there; null for none.</param>
    /// <param name="others">What is missing beside it; the first few are listed.</param>
    public static ModelingException MissingTensor(string where, string name, string? nearest, IReadOnlyList<string>? others = null) =>
        new(Sentence(
            where,
            $"tensor '{name}' is missing{Beside(others ?? [])}",
            null,
            nearest is null ? "the file is not a whole checkpoint" : $"found '{nearest}'"));

    private static string Beside(IReadOnlyList<string> others) => others.Count switch
    {
        0 => "",
        <= 5 => $", and so are {string.Join(", ", others)}",
        _ => $", and so are {others.Count} others ({string.Join(", ", others.Take(5))}, ...)",
    };

    public static ModelingException WrongShape(string where, string name, IEnumerable<long> found, IEnumerable<long> expected) =>
        new(Sentence(
            where,
            $"tensor '{name}' has shape [{string.Join(", ", found)}]",
            $"[{string.Join(", ", expected)}]",
            "the weights and the configuration disagree"));

    public static ModelingException NoTargets(string where, string targets, IEnumerable<string> modules) =>
        new(Sentence(where, $"target_modules {targets} match no linear layer", $"some of {string.Join(", ", modules)}"));

    public static ModelingException UnsupportedAdapterSetting(string where, string setting) =>
        new(Sentence(where, $"{setting} is not supported", null, "leave it at its default"));

    public static ModelingException UnusedAdapterTensor(string where, string name) =>
        new(Sentence(where, $"tensor '{name}' belongs to no module of this model", null, "the adapter was made for another model"));

    public static ModelingException BadExample(string path, int line, string found, string expected, string remedy) =>
        new(Sentence($"{path}:{line}", found, expected, remedy));

    public static ModelingException EmptySet(string path, string found, string remedy) =>
        new(Sentence(path, found, "at least one example", remedy));

    public static ModelingException NoTokenizer(string folder) =>
        new(Sentence(folder, "no tokenizer.json", "one beside the weights", "add it, or give rows with token ids (data.ids)"));

    public static ModelingException MissingColumn(string path, string column, string key, string suggestion) =>
        new(Sentence(path, $"no column '{column}'", null, $"set {key}; {suggestion}"));
}
