namespace LlmStageAudit.Foundation.Errors;

/// <summary>
/// What a user can set, for texts that speak of it. They name the concept, or say what the program in front of the user calls it:
/// <see cref="Spelling"/> is like a culture, and libraries know no flag.
/// </summary>
public sealed class Setting
{
    private static readonly AsyncLocal<IReadOnlyDictionary<Setting, string>?> s_spelling = new();
    private static readonly List<Setting> s_all = [];
    private readonly string _concept;

    private Setting(string concept)
    {
        _concept = concept;
        s_all.Add(this);
    }

    /// <summary>How settings are spelled in all that follows in the flow of control; null, or not in it: by their concept.</summary>
    public static IReadOnlyDictionary<Setting, string>? Spelling
    {
        get => s_spelling.Value;
        set => s_spelling.Value = value;
    }

    public static IReadOnlyList<Setting> All => s_all;

    public static Setting AutomaticChoice { get; } = new("the automatic choice");
    public static Setting Budget { get; } = new("the budget");
    public static Setting Confidence { get; } = new("the confidence");
    public static Setting Confinement { get; } = new("the confinement");
    public static Setting Confounder { get; } = new("the confounder");
    public static Setting Curvature { get; } = new("the curvature");
    public static Setting Effects { get; } = new("the effects");
    public static Setting EpsilonFloor { get; } = new("the epsilon floor");
    public static Setting Estimators { get; } = new("the estimators");
    public static Setting Folds { get; } = new("the folds");
    public static Setting ForcedStart { get; } = new("forced start");
    public static Setting GradientSource { get; } = new("the gradient source");
    public static Setting LeavingOut { get; } = new("leaving out");
    public static Setting Level { get; } = new("the level");
    public static Setting Method { get; } = new("the method");
    public static Setting MinPearson { get; } = new("the least Pearson");
    public static Setting Output { get; } = new("output");
    public static Setting Override { get; } = new("override");
    public static Setting Probe { get; } = new("the probe");
    public static Setting Readout { get; } = new("the readout");
    public static Setting ReplayedSteps { get; } = new("the number of steps to replay");
    public static Setting ResumedTraining { get; } = new("resumed training");
    public static Setting Resuming { get; } = new("resuming");
    public static Setting Rho { get; } = new("the share of each batch");
    public static Setting Screen { get; } = new("the screen");
    public static Setting Signers { get; } = new("the signers' file");
    public static Setting SigningKey { get; } = new("the key");
    public static Setting Steps { get; } = new("the steps");
    public static Setting TopK { get; } = new("the top-k");
    public static Setting Treatment { get; } = new("the treatment");

    public static implicit operator string(Setting setting) => setting.ToString();

    /// <summary>A verb's command as the program spells it, for pasting; without a program: "attribute RUN with the level step".</summary>
    public static string Command(string verb, string operand, params IEnumerable<(Setting Setting, string Value)> choices)
    {
        var chosen = Choices(choices);
        if (Spelling is not null) return $"stageaudit {verb} {operand} {chosen}".TrimEnd();
        return chosen.Length == 0 ? $"{verb} {operand}" : $"{verb} {operand} with {chosen}";
    }

    /// <summary>Settings with their values, as <see cref="Command"/> spells them.</summary>
    public static string Choices(params IEnumerable<(Setting Setting, string Value)> choices) =>
        string.Join(Spelling is null ? ", " : " ", choices.Select(choice => $"{choice.Setting} {choice.Value}".TrimEnd()));

    public override string ToString() => Spelling is { } spelling && spelling.TryGetValue(this, out var spelled) ? spelled : _concept;
}
