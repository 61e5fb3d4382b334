using System.Text.Json.Serialization;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Choices;

/// <summary>What runs the jobs of a plan.</summary>
[JsonConverter(typeof(ChoiceJson<Executor>))]
public abstract record Executor : IChoice<Executor>
{
    private static readonly ChoiceTable<Executor, object?> s_table = new(
        Setting.Executor,
        new ChoiceRow<Executor, object?>("local", typeof(Local), [], _ => new Local()));

    private Executor()
    {
    }

    /// <summary>Every spelling.</summary>
    public static IReadOnlyList<string> Names => s_table.Names;

    /// <inheritdoc/>
    public static Executor Parse(string text) => s_table.Of(text, null);

    /// <summary>One of <see cref="Names"/>.</summary>
    public sealed override string ToString() => s_table.NameOf(this);

    /// <summary>This process, one job after the other.</summary>
    public sealed record Local : Executor;
}
