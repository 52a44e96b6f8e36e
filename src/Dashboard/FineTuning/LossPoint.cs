using System.Runtime.InteropServices;

namespace EgpuFleet.Dashboard.FineTuning;

/// <summary>Figures of one step of a run.</summary>
/// <param name="Validation">Null where the validation data was not looked at after it.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct LossPoint(long Step, double Training, double? Validation);
