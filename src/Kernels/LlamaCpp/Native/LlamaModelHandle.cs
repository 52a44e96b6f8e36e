using System.Runtime.InteropServices;

namespace EgpuFleet.Kernels.LlamaCpp.Native;

/// <summary>A loaded model; freed when disposed and no longer in use by any call.</summary>
internal sealed class LlamaModelHandle : SafeHandle
{
    public LlamaModelHandle(nint model)
        : base(0, ownsHandle: true) => SetHandle(model);

    public override bool IsInvalid => handle == 0;

    /// <summary>Keeps the model while the result is not disposed.</summary>
    /// <exception cref="ObjectDisposedException">It was freed.</exception>
    public Usage Use()
    {
        var added = false;
        DangerousAddRef(ref added);
        return new Usage(this);
    }

    protected override bool ReleaseHandle()
    {
        Llama.ModelFree(handle);
        return true;
    }

    [StructLayout(LayoutKind.Auto)]
    public readonly struct Usage(LlamaModelHandle owner) : IDisposable
    {
        public nint Pointer => owner.handle;

        public void Dispose() => owner.DangerousRelease();
    }
}
