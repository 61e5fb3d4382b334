using System.CommandLine;
using System.Text.Json;
using LlmStageAudit.Auditing;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Training.Runs;
using Spectre.Console;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>What a verb has to work with: parsed values, standard output for data, standard error for the rest.</summary>
internal sealed class VerbContext : IWalkObserver
{
    private readonly ParseResult _result;
    private readonly LogLevel _level;

    public VerbContext(ParseResult result, CancellationToken cancellation)
    {
        (_result, Cancellation) = (result, cancellation);
        (Out, Error) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
        _level = Get(CommonOptions.LogLevel);
        Quiet = Get(CommonOptions.Quiet);
    }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    public CancellationToken Cancellation { get; }

    public bool Json => Get(CommonOptions.Json);

    public bool Quiet { get; }

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
    public bool IsInteractive =>
        !Quiet && ReferenceEquals(Error, Console.Error) && !Console.IsErrorRedirected
        && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");

    public T? Get<T>(Option<T> option) => _result.GetValue(option);

    /// <summary>What the user gave; null, or the type's own default, where the option's default stands.</summary>
    public T? Given<T>(Option<T> option) => _result.GetResult(option) is { Implicit: false } ? Get(option) : default;

    public T Get<T>(Argument<T> argument) => _result.GetValue(argument)!;

    /// <summary>Something the user should know, on standard error.</summary>
    public void Note(string text)
    {
        if (!Quiet && _level <= LogLevel.Info) Error.WriteLine(text);
    }

    public void Warn(string text)
    {
        if (_level <= LogLevel.Warning) Error.WriteLine($"warning: {text}");
    }

    /// <summary>One JSON object on standard output.</summary>
    public void WriteJson(object value) => Out.WriteLine(JsonSerializer.Serialize(value, ArtifactJson.Options));

    /// <summary>A table on standard output; a column whose heading begins with '>' is aligned right.</summary>
    public void WriteTable(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (var column in columns)
        {
            var right = column.StartsWith('>');
            table.AddColumn(
                new TableColumn(Markup.Escape(column.TrimStart('>'))) { Alignment = right ? Justify.Right : Justify.Left, NoWrap = true });
        }

        foreach (var row in rows) table.AddRow([.. row.Select(cell => Markup.Escape(Plain(cell)))]);
        ConsoleOn(Out, isTerminal: ReferenceEquals(Out, Console.Out) && !Console.IsOutputRedirected).Write(table);
    }

    // Line ends are kept: some cells have several lines. Anything else that acts on a terminal does not come from us.
    private static string Plain(string cell) => string.Join('\n', cell.Split('\n').Select(line => MessagePart.Plain(line.TrimEnd('\r'))));

    /// <summary>Runs work under a progress display on standard error.</summary>
    public T Track<T>(string activity, Func<IProgress<WalkProgress>, T> work)
    {
        if (Quiet || _level > LogLevel.Info) return WalkObserver.None.Track(activity, work);
        if (_level == LogLevel.Debug) return work(new ProcessFigures(activity, Error));
        if (!IsInteractive) return work(new ProgressLines(activity, Error));
        return ConsoleOn(Error, isTerminal: true).Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn())
            .Start(context => work(new ProgressBars(context.AddTask(Markup.Escape(activity)), activity)));
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
