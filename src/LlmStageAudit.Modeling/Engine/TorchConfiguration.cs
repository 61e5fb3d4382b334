using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// What libtorch says of itself (<c>at::show_config()</c>), which TorchSharp does not pass on: its <c>torch.__version__</c> is a constant
/// of its package, whatever library is loaded.
/// </summary>
/// <param name="Text">The whole description, several lines.</param>
internal sealed partial record TorchConfiguration(string Text)
{
    private const string Symbol = "_ZN2at11show_configB5cxx11Ev";
    private const string Capability = "CPU capability usage:";

    /// <summary>Of a loaded libtorch_cpu; empty where it is so old or so new that it has no such function.</summary>
    public static TorchConfiguration Read(nint torchCpu) => new(
        NativeLibrary.TryGetExport(torchCpu, Symbol, out var function) ? StringOf(function) : "");

    /// <summary>Such as 2.10.0; null where it is not said.</summary>
    public string? Version => Found(VersionLine());

    /// <summary>The compiler it was built with and, where it has one, the CUDA it uses.</summary>
    public string Build => Lines(", ", "GCC", "CUDA Runtime");

    /// <summary>The vector instructions in use, such as AVX512.</summary>
    public string? CpuCapability => LineFrom(Capability)?[Capability.Length..].Trim();

    /// <summary>The library of matrix products with its version.</summary>
    public string? Blas => LineFrom("Intel(R) oneAPI Math Kernel Library") ?? LineFrom("Intel(R) MKL")
        ?? Found(BlasInfo());

    /// <summary>OpenMP and oneDNN with their versions.</summary>
    public string Libraries => Lines("; ", "OpenMP", "Intel(R) MKL-DNN", "oneDNN");

    private string? Found(Regex setting) => setting.Match(Text) is { Success: true } match ? match.Value : null;

    private string Lines(string separator, params string[] starts) => string.Join(separator, starts.Select(LineFrom).OfType<string>());

    private string? LineFrom(string start) => Text.Split('\n')
        .Select(line => line.Trim(' ', '-'))
        .FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal));

    // std::string f(): the caller passes where the string is to lie. Pointer, length, and room for short texts; long ones are malloc'ed.
    private static unsafe string StringOf(nint function)
    {
        var text = stackalloc nint[4];
        ((delegate* unmanaged<nint*, nint*>)function)(text);
        var read = Marshal.PtrToStringUTF8(text[0], (int)text[1]);
        if (text[0] != (nint)(text + 2)) SystemLibrary.Free(text[0]);
        return read;
    }

    [GeneratedRegex(@"(?<=\bTORCH_VERSION=)[0-9.]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VersionLine();

    [GeneratedRegex(@"(?<=\bBLAS_INFO=)[^,\s]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex BlasInfo();
}
