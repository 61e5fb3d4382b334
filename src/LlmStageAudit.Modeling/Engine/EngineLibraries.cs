using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// Where libtorch comes from and how it gets into the process: LIBTORCH=FOLDER (the torch/lib of an installed PyTorch), or else the one
/// that came with this program. TorchSharp's own bridge always is. In the second case nothing is loaded before the first tensor.
/// </summary>
internal static class EngineLibraries
{
    public const string Bridge = "LibTorchSharp";
    private const string FolderVariable = "LIBTORCH";
    private const string Allocating = "libc10.so";
    private const string Core = "libtorch_cpu.so";

    /// <summary>Rounds of looking before a waiting thread of OpenMP sleeps.</summary>
    private const string SpinCount = "10000";

    private static readonly string s_installed =
        $"set {FolderVariable} to the torch/lib of an installed PyTorch {string.Join(", ", TorchVersion.Fitting)}";

    /// <summary>In the order they need each other; what ends in '?' only where the folder has it.</summary>
    private static readonly string[] s_torch = [Allocating, Core, "libc10_cuda.so?", "libtorch_cuda.so?", "libtorch.so"];

    private static readonly Lazy<(nint Bridge, nint TorchCpu, TorchConfiguration Configuration)> s_loaded = new(Load);

    private static readonly string? s_named = Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named ? named : null;

    /// <summary>Where libtorch is taken from.</summary>
    public static string Folder { get; } = s_named is null ? FolderOf(Core)
        : Directory.Exists(Path.Combine(s_named, "lib")) ? Path.GetFullPath("lib", Path.GetFullPath(s_named)) : Path.GetFullPath(s_named);

    /// <summary>What the loaded libtorch says of itself; loads it.</summary>
    /// <exception cref="EngineException">A library is missing or does not fit.</exception>
    public static TorchConfiguration Configuration => s_loaded.Value.Configuration;

    /// <summary>libtorch_cpu, for what it exports and TorchSharp does not pass on; loads it.</summary>
    public static nint TorchCpu => s_loaded.Value.TorchCpu;

    /// <summary>Answers for TorchSharp when the runtime looks for its native libraries.</summary>
    public static void Register()
    {
        // By default libgomp's threads look for ever for the next work, and where another program wants the same cores each waits for one
        // that does not run: passes become 5 to 8 times slower. Takes effect only before libgomp is loaded. What the user chose stays.
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OMP_WAIT_POLICY")))
            SystemLibrary.SetDefaultVariable("GOMP_SPINCOUNT", SpinCount);
        NativeLibrary.SetDllImportResolver(typeof(EngineLibraries).Assembly, Resolve);
        // At its first use TorchSharp tries to load its bridge by name. Where the system refuses that, this event is the last resort.
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => name == Bridge ? s_loaded.Value.Bridge : 0;
        AppDomain.CurrentDomain.AssemblyLoad += (_, loaded) => Serve(loaded.LoadedAssembly);
        foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies()) Serve(assembly);
    }

    /// <summary>The file with the name of a part of libtorch in the folder the user named; null for other names.</summary>
    public static string? Named(string file) =>
        s_named is not null && s_torch.Any(entry => entry.TrimEnd('?') == file) ? Path.Combine(Folder, file) : null;

    /// <summary>The address of what libtorch_cpu, or a library it needs, exports under a mangled name.</summary>
    public static nint TorchExport(string symbol) => NativeLibrary.GetExport(TorchCpu, symbol);

    private static void Serve(Assembly assembly)
    {
        if (assembly.GetName().Name != "TorchSharp") return;
        NativeLibrary.SetDllImportResolver(assembly, Resolve);
        if (s_named is null) return;
        try
        {
            // Before any code of TorchSharp runs.
            _ = s_loaded.Value;
            SecondLibTorch.KeepOut(assembly);
        }
        catch (EngineException)
        {
            // Said to whoever asks for the engine; an event of the runtime is nobody's caller.
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Bridge ? s_loaded.Value.Bridge : 0;

    private static (nint Bridge, nint TorchCpu, TorchConfiguration Configuration) Load()
    {
        if (s_named is not null && !Directory.Exists(Folder))
        {
            throw EngineException.At(
                Folder, File.Exists(Folder) ? "a file" : "no such folder", $"the folder with {Core}", s_installed);
        }

        var remedy = s_named is null ? $"{s_installed}, or build this program with a libtorch (-p:Torch=cpu)" : s_installed;
        var torchCpu = (nint)0;
        TorchConfiguration? configuration = null;
        foreach (var entry in s_torch)
        {
            var file = Path.Combine(Folder, entry.TrimEnd('?'));
            if (entry.EndsWith('?') && !File.Exists(file)) continue;
            var handle = Open(file, remedy, isBridge: false);
            if (entry == Allocating) TensorAllocator.Serve(handle);
            if (entry != Core) continue;
            torchCpu = handle;
            MatrixKernels.Choose(handle);
            configuration = TorchConfiguration.Read(handle);
            TorchVersion.Require(configuration.Version, Folder);
        }

        const string bridge = $"lib{Bridge}.so";
        var opened = Open(Path.Combine(FolderOf(bridge), bridge), "build or unpack this program again", isBridge: true);
        return (opened, torchCpu, configuration!);
    }

    private static nint Open(string file, string remedy, bool isBridge)
    {
        if (!File.Exists(file)) throw EngineException.At(file, "no such library", null, remedy);
        if (SystemLibrary.Open(file, out var handle, out var reason)) return handle;
        return isBridge && SymbolVersions.TryOpenRelaxed(file, reason, out handle)
            ? handle
            : throw EngineException.At(file, $"cannot be loaded: {reason}");
    }

    /// <summary>The folder of this program that has a native library: the runtime knows where packages put theirs.</summary>
    private static string FolderOf(string library) =>
        ((AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string) ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .FirstOrDefault(folder => File.Exists(Path.Combine(folder, library))) ?? AppContext.BaseDirectory;
}

/// <summary>Which versions of libtorch TorchSharp's bridge fits. It was built for 2.10; tensors are laid out anew in 2.13.</summary>
internal static class TorchVersion
{
    /// <summary>Their beginnings.</summary>
    public static IReadOnlyList<string> Fitting { get; } = ["2.10", "2.11", "2.12"];

    /// <summary>Refuses a version that does not fit, or is not said: it may load and then compute nonsense.</summary>
    /// <exception cref="EngineException">Another version.</exception>
    public static void Require(string? found, string folder)
    {
        if (found is null || !Fitting.Any(version => found == version || found.StartsWith(version + ".", StringComparison.Ordinal)))
        {
            throw EngineException.At(
                folder, $"libtorch {found ?? "of a version it does not name"}", string.Join(", ", Fitting),
                "install a PyTorch of one of these versions and set LIBTORCH to its torch/lib");
        }
    }
}
