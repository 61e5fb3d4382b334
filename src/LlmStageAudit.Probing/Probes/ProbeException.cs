using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Probing.Probes;

/// <summary>A probe that does not fit its data or the model.</summary>
public sealed class ProbeException : InvalidInputException
{
    private ProbeException(string message)
        : base(message)
    {
    }

    internal static ProbeException NotAMembership(string where, string column, string found) =>
        new(Sentence(
            where,
            $"'{column}' holds '{found}'",
            "a number (a member from 0.5 on), true or false",
            $"name the group by an expression such as \"{column} == '{found}'\""));

    /// <summary>A model whose scores are no numbers, as weights that hold one that is none make all of them.</summary>
    /// <param name="path">The probe's file.</param>
    /// <param name="example">The first row concerned.</param>
    /// <param name="found">Its log-likelihood.</param>
    public static ProbeException NotFinite(string path, string example, double found) => new(Sentence(
        path, FormattableString.Invariant($"the model gives row '{example}' a log-likelihood of {found}"), "a finite number",
        "look for values that are not finite in the weights or the adapter"));

    internal static ProbeException OtherTask(string path, string found, string expected) =>
        new(Sentence(path, $"the probe's task is {found}", $"{expected}, the model's", "leave task out, or probe a model of that task"));

    internal static ProbeException NeedsClassifier(string path, string metric) =>
        new(Sentence(
            path,
            $"metric {metric} (or a column to measure) needs a classifier; the model is a causal language model",
            null,
            "use metric: log-likelihood"));

    internal static ProbeException NeedsTwoClasses(string path, string metric, int labels) =>
        new(Sentence(path, $"metric {metric} with a model of {labels} labels", "2 labels", "use metric: log-likelihood"));

    internal static ProbeException EmptyCell(string path, string confounder, int subgroup, int background) =>
        new(Sentence(
            path,
            $"confounder '{confounder}' has {subgroup} examples in the subgroup and {background} in the background for every label",
            "some of both under a common label",
            "choose another column or probe"));

    internal static ProbeException UnknownGroup(string path, string group, string suggestion) =>
        new(Sentence(path, $"no group '{group}' in the probe", null, $"list it under data.groups; {suggestion}"));
}
