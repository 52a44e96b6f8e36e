using System.Text.RegularExpressions;

namespace EgpuFleet.Kernels.Drivers.Failures;

/// <summary>One way in which a GPU, its link, its driver or its compilers are known to fail, and how its text looks.</summary>
/// <param name="Id">Unique and stable, such as <c>architecture_reads_ones</c>.</param>
/// <param name="Class">What is broken.</param>
/// <param name="Texts">Any of these, ordinal, is the signature.</param>
/// <param name="Expression">Or a match of this; it carries its own time limit.</param>
/// <param name="Quoted">The text as it was reported; matched by this row and by no other.</param>
/// <param name="Cause">Why it happens, in one sentence.</param>
/// <param name="Action">What an agent does about it, without a person.</param>
/// <param name="Fix">What a person does: an exact command or the way through System Settings.</param>
/// <param name="Sources">Public reports (<c>tinygrad#15652</c>), or <c>source</c> where it was read in tinygrad's code.</param>
public sealed record FailureSignature(
    string Id,
    FailureClass Class,
    string[] Texts,
    Regex? Expression,
    string Quoted,
    string Cause,
    FailureAction Action,
    string Fix,
    string[] Sources
)
{
    /// <summary>Where the signature begins in the text; −1 where it is not in it.</summary>
    internal int IndexIn(string text)
    {
        foreach (var part in Texts)
        {
            if (text.IndexOf(part, StringComparison.Ordinal) is >= 0 and var index)
                return index;
        }
        try
        {
            return Expression?.Match(text) is { Success: true } match ? match.Index : -1;
        }
        catch (RegexMatchTimeoutException)
        {
            // A text that defeats the expression is none of those it was written for.
            return -1;
        }
    }
}

/// <summary>What is broken; from the machine inwards.</summary>
public enum FailureClass
{
    /// <summary>This kind of machine cannot drive an external GPU.</summary>
    HostUnsupported,

    /// <summary>The machine's kernel panicked because of the GPU.</summary>
    HostPanic,

    /// <summary>macOS did not take the driver extension.</summary>
    ExtensionRefused,

    /// <summary>The driver extension is not attached to the GPU.</summary>
    NotAttached,

    /// <summary>No such GPU is on the bus, or its id is not one that tinygrad drives.</summary>
    NotPresent,

    /// <summary>This model of GPU is not driven.</summary>
    GpuUnsupported,

    /// <summary>Another process, or an earlier open of the same one, holds the GPU's lock.</summary>
    LockHeld,

    /// <summary>macOS gave the GPU no address windows.</summary>
    BarUnassigned,

    /// <summary>Reads return all ones: the link dropped.</summary>
    LinkDead,

    /// <summary>The GPU's own firmware did not start.</summary>
    FirmwareStall,

    /// <summary>It started once since power-on and does not again.</summary>
    NeedsColdBoot,

    /// <summary>Firmware files are not in the cache and could not be fetched.</summary>
    FirmwareMissing,

    /// <summary>A kernel compiler is missing, down or cannot see its input.</summary>
    CompilerUnavailable,

    /// <summary>The GPU works but no longer answers, or faulted.</summary>
    DeviceHung,

    /// <summary>The way to the GPU closed while it worked: cable, power or the extension.</summary>
    ConnectionLost,

    /// <summary>The model and its cache do not fit.</summary>
    OutOfMemory,

    /// <summary>A kernel search takes without end.</summary>
    TuningStalled,

    /// <summary>The numbers that come back cannot be right.</summary>
    NumbersWrong,
}

/// <summary>What an agent does about a failure. In every case a worker that failed is ended first: a failed open poisons its process.</summary>
public enum FailureAction
{
    /// <summary>A new worker process; quarantined after the second time in a row.</summary>
    RestartWorker,

    /// <summary>One new worker, which resets the GPU when it opens it; then quarantine until somebody acts.</summary>
    ResetOnce,

    /// <summary>Nothing is tried again until the enclosure had its power off and on.</summary>
    AwaitPowerCycle,

    /// <summary>Nothing is tried again until a person has changed something on the machine.</summary>
    AwaitRepair,

    /// <summary>This device takes no work, ever, with this version.</summary>
    MarkUnsupported,

    /// <summary>The node is lost for its work; after the reboot the GPU stays quarantined and its job does not return to it.</summary>
    QuarantineAfterReboot,

    /// <summary>The model is refused here and may go elsewhere.</summary>
    RefuseModel,

    /// <summary>The search ends; what it found so far is kept.</summary>
    StopTuning,
}
