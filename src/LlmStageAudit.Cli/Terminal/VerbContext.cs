using System.CommandLine;
using System.Text.Json;
using LlmStageAudit.Auditing;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Training.Runs;
using Spectre.Console;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>What a verb has to work with: parsed values, standard output for data, standard error for the rest.</summary>
internal sealed class VerbContext(ParseResult result, CancellationToken cancellation) : IWalkObserver
{
    private readonly LogLevel _level = result.GetValue(CommonOptions.LogLevel);
    private readonly List<Warning> _warnings = [];
    private readonly bool _quiet = result.GetValue(CommonOptions.Quiet);

    public TextWriter Out { get; } = result.InvocationConfiguration.Output;

    public TextWriter Error { get; } = result.InvocationConfiguration.Error;

    public CancellationToken Cancellation => cancellation;

    public bool Json => Get(CommonOptions.Json);

    /// <summary>What the hops of the walk get: the device, this terminal, the signal to stop.</summary>
    public WalkHost Host => new()
    {
        Device = () => Device,
        Observer = this,
        Cancellation = Cancellation,
        Preflight = Get(CommonOptions.ForceStart) ? null : new Preflight(MachineLimits.Current),
    };

    /// <summary>Where to compute. Who has it has the engine: loaded, checked, with the threads that were asked for.</summary>
    public Device Device
    {
        get
        {
            TorchEngine.Require();
            if (Get(CommonOptions.Threads) is { } threads) TorchEngine.Threads = threads;
            return Devices.Parse(Get(CommonOptions.Device)!);
        }
    }

    /// <summary>Standard error is a terminal that takes cursor movements.</summary>
    private bool IsInteractive =>
        ReferenceEquals(Error, Console.Error) && !Console.IsErrorRedirected
        && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");

    public T? Get<T>(Option<T> option) => result.GetValue(option);

    /// <summary>What the user gave; null, or the type's own default, where the option's default stands.</summary>
    public T? Given<T>(Option<T> option) => result.GetResult(option) is { Implicit: false } ? Get(option) : default;

    public T Get<T>(Argument<T> argument) => result.GetValue(argument)!;

    /// <summary>Something the user should know, on standard error.</summary>
    public void Note(string text)
    {
        if (!_quiet && _level <= LogLevel.Info) Error.WriteLine(text);
    }

    /// <summary>Said once, on standard error at once and in what a verb answers.</summary>
    public void Warn(Warning warning)
    {
        if (_warnings.Contains(warning)) return;
        _warnings.Add(warning);
        if (_level <= LogLevel.Warning) Error.WriteLine($"warning: {MessagePart.Of(warning.Message)}");
    }

    /// <summary>
    /// What a verb answers, on standard output: one JSON object, with its schema's version first and the warnings last, or what people read.
    /// </summary>
    public void Print(object json, Action text)
    {
        if (!Json)
        {
            text();
            return;
        }

        var answer = JsonSerializer.SerializeToNode(json, ArtifactJson.Options)!.AsObject();
        if (!answer.ContainsKey("schemaVersion")) answer.Insert(0, "schemaVersion", 1);
        answer["warnings"] = JsonSerializer.SerializeToNode(_warnings, ArtifactJson.Options);
        Out.WriteLine(answer.ToJsonString(ArtifactJson.Options));
    }

    /// <summary>
    /// A table on standard output, a row for each of the items; a column whose heading begins with '>' is aligned right, and a cell of
    /// which nothing is known is a dash.
    /// </summary>
    public void WriteTable<T>(IEnumerable<T> items, params (string Heading, Func<T, string?> Cell)[] columns)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (var (heading, _) in columns)
        {
            var right = heading.StartsWith('>');
            table.AddColumn(
                new TableColumn(Markup.Escape(heading.TrimStart('>'))) { Alignment = right ? Justify.Right : Justify.Left, NoWrap = true });
        }

        foreach (var item in items) table.AddRow([.. columns.Select(column => Markup.Escape(Plain(column.Cell(item) ?? "-")))]);
        ConsoleOn(Out, isTerminal: ReferenceEquals(Out, Console.Out) && !Console.IsOutputRedirected).Write(table);
    }

    /// <summary>A table of what is known of one thing.</summary>
    public void WriteFacts(IEnumerable<(string Name, string? Value)> facts) =>
        WriteTable(facts, ("", fact => fact.Name), ("", fact => fact.Value));

    // Line ends are kept: some cells have several lines. Anything else that acts on a terminal does not come from us.
    private static string Plain(string cell) => string.Join('\n', cell.Split('\n').Select(line => MessagePart.Plain(line.TrimEnd('\r'))));

    /// <summary>Runs work under a progress display on standard error.</summary>
    public T Track<T>(string activity, Func<IProgress<WalkProgress>, T> work)
    {
        if (_quiet || _level > LogLevel.Info) return WalkObserver.None.Track(activity, work);
        if (_level == LogLevel.Debug) return work(ProgressDisplay.Figures(activity, Error));
        if (!IsInteractive) return work(ProgressDisplay.Lines(activity, Error));
        return ConsoleOn(Error, isTerminal: true).Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn())
            .Start(context => work(ProgressDisplay.Bar(activity, context.AddTask(Markup.Escape(activity)))));
    }

    /// <summary>Wide enough never to break a row where output is a file.</summary>
    private IAnsiConsole ConsoleOn(TextWriter writer, bool isTerminal)
    {
        var coloured = isTerminal && !Get(CommonOptions.NoColor) && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isTerminal ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = coloured ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        if (!isTerminal) console.Profile.Width = 4096;
        return console;
    }
}
