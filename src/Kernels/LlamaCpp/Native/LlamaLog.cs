using System.Runtime.InteropServices;

namespace EgpuFleet.Kernels.LlamaCpp.Native;

/// <summary>Receives llama.cpp's log instead of the terminal, and keeps the last errors for messages of ours.</summary>
internal static unsafe class LlamaLog
{
    private const int LevelError = 4;
    private const int LevelContinued = 5;
    private const int KeptCharacters = 1000;

    private static readonly Lock Gate = new();
    private static string errors = "";
    private static bool continuing;

    /// <summary>The errors logged since the last call.</summary>
    public static string TakeErrors()
    {
        lock (Gate)
        {
            var text = errors.Trim();
            errors = "";
            return text;
        }
    }

    [UnmanagedCallersOnly]
    public static void Receive(int level, byte* text, void* userData)
    {
        lock (Gate)
        {
            continuing = level == LevelError || (level == LevelContinued && continuing);
            if (!continuing)
                return;
            errors += Marshal.PtrToStringUTF8((nint)text);
            if (errors.Length > KeptCharacters)
                errors = errors[^KeptCharacters..];
        }
    }
}
