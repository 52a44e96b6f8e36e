using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.LlamaCpp.Native;

/// <summary>Finds, loads and checks llama.cpp's libraries, once per process. Whatever is not as pinned is refused.</summary>
internal static unsafe class LlamaLibrary
{
    /// <summary>The release the pinned npm packages were built from.</summary>
    public const string PinnedVersion = "0.4.0";

    private static readonly Lock Gate = new();
    private static bool opened;

    /// <summary>Loads the libraries from <c>natives/</c> beside the worker.</summary>
    /// <param name="deviceType">As in <see cref="Ggml"/>: the kind of device that is computed on.</param>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.EngineUnavailable"/>: also where that device is not.</exception>
    public static void Open(int deviceType)
    {
        lock (Gate)
        {
            if (!opened)
                Load();
            opened = true;
        }
        if (Ggml.DeviceByType(deviceType) == 0)
        {
            throw Unavailable(
                deviceType == Ggml.DeviceCpu
                    ? "No CPU backend of llama.cpp runs on this processor."
                    : "llama.cpp finds no GPU here. Metal is on Macs with Apple silicon only."
            );
        }
    }

    private static void Load()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "natives");
        NativeLibrary.SetDllImportResolver(typeof(LlamaLibrary).Assembly, (name, _, _) => Load(folder, name));
        try
        {
            Llama.LogSet(&LlamaLog.Receive, null);
            CheckDefaults(Llama.ModelDefaultParams(), Llama.ContextDefaultParams());
            Ggml.BackendLoadAll(folder);
            Llama.BackendInit();
        }
        catch (Exception exception)
            when (exception is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            throw Unavailable($"llama.cpp's libraries cannot be loaded: {exception.Message}", exception);
        }
    }

    private static nint Load(string folder, string name)
    {
        if (name is not (Llama.Library or Ggml.Library or Ggml.CoreLibrary))
            return 0;
        // libllama.v0.4.0.so, libllama.metal.v0.4.0.dylib, libggml-base.so, libggml.v0.4.0.so: the name, then a dot.
        var files = Directory.Exists(folder) ? Directory.GetFiles(folder, $"lib{name}.*") : [];
        return files.Length == 1
            ? NativeLibrary.Load(files[0])
            : throw new DllNotFoundException($"{files.Length} files lib{name}.* in '{folder}'; one was expected.");
    }

    /// <summary>
    /// The library fills these structs with values known from its source. One that is not at its place means that the layout
    /// is another, and every later call would be wrong without an error.
    /// </summary>
    private static void CheckDefaults(LlamaModelParams model, LlamaContextParams context)
    {
        var version = Marshal.PtrToStringUTF8((nint)Llama.Version());
        (string Name, double Got, double Expected)[] sentinels =
        [
            ("n_gpu_layers", model.GpuLayers, -1),
            ("use_extra_bufts", model.UseExtraBufferTypes, 1),
            ("n_ctx", context.ContextTokens, 512),
            ("n_batch", context.BatchTokens, 2048),
            ("n_ubatch", context.MicroBatchTokens, 512),
            ("n_seq_max", context.MaxSequences, 1),
            ("flash_attn_type", context.FlashAttentionType, Llama.FlashAttentionAuto),
            ("yarn_ext_factor", context.YarnExtFactor, -1),
            ("yarn_beta_fast", context.YarnBetaFast, -1),
            ("yarn_beta_slow", context.YarnBetaSlow, -1),
            ("type_k", context.TypeK, Llama.TypeF16),
            ("type_v", context.TypeV, Llama.TypeF16),
            ("embeddings", context.Embeddings, 0),
            ("offload_kqv", context.OffloadKqv, 1),
            ("no_perf", context.NoPerf, 1),
            ("op_offload", context.OpOffload, 1),
            ("swa_full", context.SwaFull, 1),
            ("kv_unified", context.KvUnified, 0),
        ];
        var wrong = sentinels.Where(sentinel => sentinel.Got != sentinel.Expected).ToArray();
        if (wrong.Length > 0)
        {
            var text = string.Join(
                ", ",
                wrong.Select(sentinel => $"{sentinel.Name} {sentinel.Got} for {sentinel.Expected}")
            );
            throw Unavailable($"llama.cpp {version} has another struct layout than {PinnedVersion}: {text}.");
        }
    }

    private static EngineException Unavailable(string text, Exception? inner = null) =>
        new(EngineErrorClass.EngineUnavailable, text, innerException: inner);
}
