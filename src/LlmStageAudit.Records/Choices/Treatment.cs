using System.Text.Json.Serialization;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Choices;

/// <summary>What is left out of a run, an effect each.</summary>
[JsonConverter(typeof(ChoiceJson<Treatment>))]
public abstract record Treatment : IChoice<Treatment>
{
    private static readonly ChoiceTable<Treatment, IReadOnlyList<string>> s_table = new(
        Setting.Treatment,
        new("stage", typeof(Stage), [], _ => new Stage()),
        new("steps", typeof(Steps), [Setting.Steps], sets => new Steps(sets)),
        new("step", typeof(EachStep), [], _ => new EachStep()),
        new("batch", typeof(EachBatch), [], _ => new EachBatch()),
        new("example", typeof(EachExample), [], _ => new EachExample()));

    private static readonly string[] s_levels = [.. s_table.Names.Where(name => name != "steps")];

    private Treatment()
    {
    }

    /// <summary>What an effect is of, from coarse to fine: stage (also a set of steps), step, batch, example.</summary>
    public string Level => this is Steps ? "stage" : s_table.NameOf(this);

    /// <summary>stage: a job that never ran. steps: updates skipped inside a job, as whatever is smaller than a stage is.</summary>
    public string Kind => this is Stage ? "stage" : "steps";

    /// <summary>The treatment of a level.</summary>
    /// <param name="level">As <see cref="Level"/>.</param>
    /// <param name="kind">At the level stage: stage or steps; null: stage.</param>
    /// <param name="sets">For steps: the sets to skip, numbered within the run, such as "3,10-12"; none: each stage's steps.</param>
    /// <exception cref="ConfigurationException">No such level or treatment, or settings that do not go together.</exception>
    public static Treatment Of(string level, string? kind = null, params IReadOnlyList<string> sets)
    {
        if (!s_levels.Contains(level)) throw ConfigurationException.Bad(Setting.Level, level, string.Join(", ", s_levels));
        if (kind is not (null or "stage" or "steps")) throw ConfigurationException.Bad(Setting.Treatment, kind, "stage or steps");
        var name = level == "stage" ? kind ?? "stage" : level;
        return s_table.Of(name, sets, Given(sets));
    }

    /// <inheritdoc/>
    public static Treatment Parse(string text)
    {
        var words = text.Split(' ');
        return s_table.Of(words[0], words[1..], Given(words[1..]));
    }

    private static IEnumerable<(Setting Setting, string Value)> Given(IReadOnlyList<string> sets) =>
        sets.Count == 0 ? [] : [(Setting.Steps, string.Join(' ', sets))];

    /// <summary>stage, steps, "steps 3,10-12 14", step, batch, example.</summary>
    public sealed override string ToString() =>
        string.Join(' ', this is Steps { Sets: var sets } ? [s_table.NameOf(this), .. sets] : [s_table.NameOf(this)]);

    /// <summary>Each stage: a job that never ran.</summary>
    public sealed record Stage : Treatment;

    /// <summary>Sets of steps: updates skipped inside a job, over which the schedule goes on.</summary>
    /// <param name="Sets">Numbered within the run from 1, such as "3,10-12"; none: each stage's steps.</param>
    public sealed record Steps(params IReadOnlyList<string> Sets) : Treatment
    {
        /// <summary>Numbered within the run from 1, such as "3,10-12"; none: each stage's steps.</summary>
        public IReadOnlyList<string> Sets { get; } = [.. Sets.Select(set => set.Replace(" ", "", StringComparison.Ordinal))];

        /// <inheritdoc/>
        public bool Equals(Steps? other) => other is not null && Sets.SequenceEqual(other.Sets);

        /// <inheritdoc/>
        public override int GetHashCode() => Sets.Aggregate(0, HashCode.Combine);
    }

    /// <summary>Each step by itself, its update skipped.</summary>
    public sealed record EachStep : Treatment;

    /// <summary>Each step's batch: its gradient alone, the update's momentum and decay going on.</summary>
    public sealed record EachBatch : Treatment;

    /// <summary>Each training example of each stage, over all batches it was in.</summary>
    public sealed record EachExample : Treatment;
}
