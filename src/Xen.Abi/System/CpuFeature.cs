// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary>
/// <c>XEN_X86_FEATURE_*</c>: bits of a feature set: word times 32 plus bit. The words are CPUID 1.EDX, 1.ECX,
/// 80000001h.EDX, 80000001h.ECX, Dh.1.EAX, 7.0.EBX, 7.0.ECX, 80000007h.EDX, 80000008h.EBX, 7.0.EDX, 7.1.EAX,
/// 80000021h.EAX, 7.1.EBX, 7.2.EDX, 7.1.ECX, 7.1.EDX, MSR_ARCH_CAPS low and high, 80000021h.ECX.
/// </summary>
public enum CpuFeature : uint
{
    /// <summary><c>XEN_X86_FEATURE_FPU</c>.</summary>
    Fpu = 0,

    /// <summary><c>XEN_X86_FEATURE_VME</c>.</summary>
    Vme = 1,

    /// <summary><c>XEN_X86_FEATURE_DE</c>.</summary>
    De = 2,

    /// <summary><c>XEN_X86_FEATURE_PSE</c>.</summary>
    Pse = 3,

    /// <summary><c>XEN_X86_FEATURE_TSC</c>.</summary>
    Tsc = 4,

    /// <summary><c>XEN_X86_FEATURE_MSR</c>.</summary>
    Msr = 5,

    /// <summary><c>XEN_X86_FEATURE_PAE</c>.</summary>
    Pae = 6,

    /// <summary><c>XEN_X86_FEATURE_MCE</c>.</summary>
    Mce = 7,

    /// <summary><c>XEN_X86_FEATURE_CX8</c>.</summary>
    Cx8 = 8,

    /// <summary><c>XEN_X86_FEATURE_APIC</c>.</summary>
    Apic = 9,

    /// <summary><c>XEN_X86_FEATURE_SEP</c>.</summary>
    Sep = 11,

    /// <summary><c>XEN_X86_FEATURE_MTRR</c>.</summary>
    Mtrr = 12,

    /// <summary><c>XEN_X86_FEATURE_PGE</c>.</summary>
    Pge = 13,

    /// <summary><c>XEN_X86_FEATURE_MCA</c>.</summary>
    Mca = 14,

    /// <summary><c>XEN_X86_FEATURE_CMOV</c>.</summary>
    Cmov = 15,

    /// <summary><c>XEN_X86_FEATURE_PAT</c>.</summary>
    Pat = 16,

    /// <summary><c>XEN_X86_FEATURE_PSE36</c>.</summary>
    Pse36 = 17,

    /// <summary><c>XEN_X86_FEATURE_CLFLUSH</c>.</summary>
    Clflush = 19,

    /// <summary><c>XEN_X86_FEATURE_DS</c>.</summary>
    Ds = 21,

    /// <summary><c>XEN_X86_FEATURE_ACPI</c>.</summary>
    Acpi = 22,

    /// <summary><c>XEN_X86_FEATURE_MMX</c>.</summary>
    Mmx = 23,

    /// <summary><c>XEN_X86_FEATURE_FXSR</c>.</summary>
    Fxsr = 24,

    /// <summary><c>XEN_X86_FEATURE_SSE</c>.</summary>
    Sse = 25,

    /// <summary><c>XEN_X86_FEATURE_SSE2</c>.</summary>
    Sse2 = 26,

    /// <summary><c>XEN_X86_FEATURE_SS</c>.</summary>
    Ss = 27,

    /// <summary><c>XEN_X86_FEATURE_HTT</c>.</summary>
    Htt = 28,

    /// <summary><c>XEN_X86_FEATURE_TM1</c>.</summary>
    Tm1 = 29,

    /// <summary><c>XEN_X86_FEATURE_PBE</c>.</summary>
    Pbe = 31,

    /// <summary><c>XEN_X86_FEATURE_SSE3</c>.</summary>
    Sse3 = 32,

    /// <summary><c>XEN_X86_FEATURE_PCLMULQDQ</c>.</summary>
    Pclmulqdq = 33,

    /// <summary><c>XEN_X86_FEATURE_DTES64</c>.</summary>
    Dtes64 = 34,

    /// <summary><c>XEN_X86_FEATURE_MONITOR</c>.</summary>
    Monitor = 35,

    /// <summary><c>XEN_X86_FEATURE_DSCPL</c>.</summary>
    Dscpl = 36,

    /// <summary><c>XEN_X86_FEATURE_VMX</c>.</summary>
    Vmx = 37,

    /// <summary><c>XEN_X86_FEATURE_SMX</c>.</summary>
    Smx = 38,

    /// <summary><c>XEN_X86_FEATURE_EIST</c>.</summary>
    Eist = 39,

    /// <summary><c>XEN_X86_FEATURE_TM2</c>.</summary>
    Tm2 = 40,

    /// <summary><c>XEN_X86_FEATURE_SSSE3</c>.</summary>
    Ssse3 = 41,

    /// <summary><c>XEN_X86_FEATURE_FMA</c>.</summary>
    Fma = 44,

    /// <summary><c>XEN_X86_FEATURE_CX16</c>.</summary>
    Cx16 = 45,

    /// <summary><c>XEN_X86_FEATURE_XTPR</c>.</summary>
    Xtpr = 46,

    /// <summary><c>XEN_X86_FEATURE_PDCM</c>.</summary>
    Pdcm = 47,

    /// <summary><c>XEN_X86_FEATURE_PCID</c>.</summary>
    Pcid = 49,

    /// <summary><c>XEN_X86_FEATURE_DCA</c>.</summary>
    Dca = 50,

    /// <summary><c>XEN_X86_FEATURE_SSE4_1</c>.</summary>
    Sse41 = 51,

    /// <summary><c>XEN_X86_FEATURE_SSE4_2</c>.</summary>
    Sse42 = 52,

    /// <summary><c>XEN_X86_FEATURE_X2APIC</c>.</summary>
    X2apic = 53,

    /// <summary><c>XEN_X86_FEATURE_MOVBE</c>.</summary>
    Movbe = 54,

    /// <summary><c>XEN_X86_FEATURE_POPCNT</c>.</summary>
    Popcnt = 55,

    /// <summary><c>XEN_X86_FEATURE_TSC_DEADLINE</c>.</summary>
    TscDeadline = 56,

    /// <summary><c>XEN_X86_FEATURE_AESNI</c>.</summary>
    Aesni = 57,

    /// <summary><c>XEN_X86_FEATURE_XSAVE</c>.</summary>
    XSave = 58,

    /// <summary><c>XEN_X86_FEATURE_OSXSAVE</c>.</summary>
    OsXSave = 59,

    /// <summary><c>XEN_X86_FEATURE_AVX</c>.</summary>
    Avx = 60,

    /// <summary><c>XEN_X86_FEATURE_F16C</c>.</summary>
    F16c = 61,

    /// <summary><c>XEN_X86_FEATURE_RDRAND</c>.</summary>
    Rdrand = 62,

    /// <summary><c>XEN_X86_FEATURE_HYPERVISOR</c>.</summary>
    Hypervisor = 63,

    /// <summary><c>XEN_X86_FEATURE_SYSCALL</c>.</summary>
    Syscall = 75,

    /// <summary><c>XEN_X86_FEATURE_NX</c>.</summary>
    Nx = 84,

    /// <summary><c>XEN_X86_FEATURE_MMXEXT</c>.</summary>
    Mmxext = 86,

    /// <summary><c>XEN_X86_FEATURE_FFXSR</c>.</summary>
    Ffxsr = 89,

    /// <summary><c>XEN_X86_FEATURE_PAGE1GB</c>.</summary>
    Page1gb = 90,

    /// <summary><c>XEN_X86_FEATURE_RDTSCP</c>.</summary>
    Rdtscp = 91,

    /// <summary><c>XEN_X86_FEATURE_LM</c>.</summary>
    Lm = 93,

    /// <summary><c>XEN_X86_FEATURE_3DNOWEXT</c>.</summary>
    ThreeDNowExt = 94,

    /// <summary><c>XEN_X86_FEATURE_3DNOW</c>.</summary>
    ThreeDNow = 95,

    /// <summary><c>XEN_X86_FEATURE_LAHF_LM</c>.</summary>
    LahfLm = 96,

    /// <summary><c>XEN_X86_FEATURE_CMP_LEGACY</c>.</summary>
    CmpLegacy = 97,

    /// <summary><c>XEN_X86_FEATURE_SVM</c>.</summary>
    Svm = 98,

    /// <summary><c>XEN_X86_FEATURE_EXTAPIC</c>.</summary>
    Extapic = 99,

    /// <summary><c>XEN_X86_FEATURE_CR8_LEGACY</c>.</summary>
    Cr8Legacy = 100,

    /// <summary><c>XEN_X86_FEATURE_ABM</c>.</summary>
    Abm = 101,

    /// <summary><c>XEN_X86_FEATURE_SSE4A</c>.</summary>
    Sse4a = 102,

    /// <summary><c>XEN_X86_FEATURE_MISALIGNSSE</c>.</summary>
    Misalignsse = 103,

    /// <summary><c>XEN_X86_FEATURE_3DNOWPREFETCH</c>.</summary>
    ThreeDNowPrefetch = 104,

    /// <summary><c>XEN_X86_FEATURE_OSVW</c>.</summary>
    Osvw = 105,

    /// <summary><c>XEN_X86_FEATURE_IBS</c>.</summary>
    Ibs = 106,

    /// <summary><c>XEN_X86_FEATURE_XOP</c>.</summary>
    Xop = 107,

    /// <summary><c>XEN_X86_FEATURE_SKINIT</c>.</summary>
    Skinit = 108,

    /// <summary><c>XEN_X86_FEATURE_WDT</c>.</summary>
    Wdt = 109,

    /// <summary><c>XEN_X86_FEATURE_LWP</c>.</summary>
    Lwp = 111,

    /// <summary><c>XEN_X86_FEATURE_FMA4</c>.</summary>
    Fma4 = 112,

    /// <summary><c>XEN_X86_FEATURE_NODEID_MSR</c>.</summary>
    NodeidMsr = 115,

    /// <summary><c>XEN_X86_FEATURE_TBM</c>.</summary>
    Tbm = 117,

    /// <summary><c>XEN_X86_FEATURE_TOPOEXT</c>.</summary>
    Topoext = 118,

    /// <summary><c>XEN_X86_FEATURE_DBEXT</c>.</summary>
    Dbext = 122,

    /// <summary><c>XEN_X86_FEATURE_MONITORX</c>.</summary>
    Monitorx = 125,

    /// <summary><c>XEN_X86_FEATURE_XSAVEOPT</c>.</summary>
    XSaveOpt = 128,

    /// <summary><c>XEN_X86_FEATURE_XSAVEC</c>.</summary>
    XSaveC = 129,

    /// <summary><c>XEN_X86_FEATURE_XGETBV1</c>.</summary>
    Xgetbv1 = 130,

    /// <summary><c>XEN_X86_FEATURE_XSAVES</c>.</summary>
    XSaveS = 131,

    /// <summary><c>XEN_X86_FEATURE_FSGSBASE</c>.</summary>
    Fsgsbase = 160,

    /// <summary><c>XEN_X86_FEATURE_TSC_ADJUST</c>.</summary>
    TscAdjust = 161,

    /// <summary><c>XEN_X86_FEATURE_SGX</c>.</summary>
    Sgx = 162,

    /// <summary><c>XEN_X86_FEATURE_BMI1</c>.</summary>
    Bmi1 = 163,

    /// <summary><c>XEN_X86_FEATURE_HLE</c>.</summary>
    Hle = 164,

    /// <summary><c>XEN_X86_FEATURE_AVX2</c>.</summary>
    Avx2 = 165,

    /// <summary><c>XEN_X86_FEATURE_FDP_EXCP_ONLY</c>.</summary>
    FdpExcpOnly = 166,

    /// <summary><c>XEN_X86_FEATURE_SMEP</c>.</summary>
    Smep = 167,

    /// <summary><c>XEN_X86_FEATURE_BMI2</c>.</summary>
    Bmi2 = 168,

    /// <summary><c>XEN_X86_FEATURE_ERMS</c>.</summary>
    Erms = 169,

    /// <summary><c>XEN_X86_FEATURE_INVPCID</c>.</summary>
    Invpcid = 170,

    /// <summary><c>XEN_X86_FEATURE_RTM</c>.</summary>
    Rtm = 171,

    /// <summary><c>XEN_X86_FEATURE_PQM</c>.</summary>
    Pqm = 172,

    /// <summary><c>XEN_X86_FEATURE_NO_FPU_SEL</c>.</summary>
    NoFpuSel = 173,

    /// <summary><c>XEN_X86_FEATURE_MPX</c>.</summary>
    Mpx = 174,

    /// <summary><c>XEN_X86_FEATURE_PQE</c>.</summary>
    Pqe = 175,

    /// <summary><c>XEN_X86_FEATURE_AVX512F</c>.</summary>
    Avx512f = 176,

    /// <summary><c>XEN_X86_FEATURE_AVX512DQ</c>.</summary>
    Avx512dq = 177,

    /// <summary><c>XEN_X86_FEATURE_RDSEED</c>.</summary>
    Rdseed = 178,

    /// <summary><c>XEN_X86_FEATURE_ADX</c>.</summary>
    Adx = 179,

    /// <summary><c>XEN_X86_FEATURE_SMAP</c>.</summary>
    Smap = 180,

    /// <summary><c>XEN_X86_FEATURE_AVX512_IFMA</c>.</summary>
    Avx512Ifma = 181,

    /// <summary><c>XEN_X86_FEATURE_CLFLUSHOPT</c>.</summary>
    Clflushopt = 183,

    /// <summary><c>XEN_X86_FEATURE_CLWB</c>.</summary>
    Clwb = 184,

    /// <summary><c>XEN_X86_FEATURE_PROC_TRACE</c>.</summary>
    ProcTrace = 185,

    /// <summary><c>XEN_X86_FEATURE_AVX512PF</c>.</summary>
    Avx512pf = 186,

    /// <summary><c>XEN_X86_FEATURE_AVX512ER</c>.</summary>
    Avx512er = 187,

    /// <summary><c>XEN_X86_FEATURE_AVX512CD</c>.</summary>
    Avx512cd = 188,

    /// <summary><c>XEN_X86_FEATURE_SHA</c>.</summary>
    Sha = 189,

    /// <summary><c>XEN_X86_FEATURE_AVX512BW</c>.</summary>
    Avx512bw = 190,

    /// <summary><c>XEN_X86_FEATURE_AVX512VL</c>.</summary>
    Avx512vl = 191,

    /// <summary><c>XEN_X86_FEATURE_PREFETCHWT1</c>.</summary>
    Prefetchwt1 = 192,

    /// <summary><c>XEN_X86_FEATURE_AVX512_VBMI</c>.</summary>
    Avx512Vbmi = 193,

    /// <summary><c>XEN_X86_FEATURE_UMIP</c>.</summary>
    Umip = 194,

    /// <summary><c>XEN_X86_FEATURE_PKU</c>.</summary>
    Pku = 195,

    /// <summary><c>XEN_X86_FEATURE_OSPKE</c>.</summary>
    Ospke = 196,

    /// <summary><c>XEN_X86_FEATURE_AVX512_VBMI2</c>.</summary>
    Avx512Vbmi2 = 198,

    /// <summary><c>XEN_X86_FEATURE_CET_SS</c>.</summary>
    CetSs = 199,

    /// <summary><c>XEN_X86_FEATURE_GFNI</c>.</summary>
    Gfni = 200,

    /// <summary><c>XEN_X86_FEATURE_VAES</c>.</summary>
    Vaes = 201,

    /// <summary><c>XEN_X86_FEATURE_VPCLMULQDQ</c>.</summary>
    Vpclmulqdq = 202,

    /// <summary><c>XEN_X86_FEATURE_AVX512_VNNI</c>.</summary>
    Avx512Vnni = 203,

    /// <summary><c>XEN_X86_FEATURE_AVX512_BITALG</c>.</summary>
    Avx512Bitalg = 204,

    /// <summary><c>XEN_X86_FEATURE_AVX512_VPOPCNTDQ</c>.</summary>
    Avx512Vpopcntdq = 206,

    /// <summary><c>XEN_X86_FEATURE_RDPID</c>.</summary>
    Rdpid = 214,

    /// <summary><c>XEN_X86_FEATURE_CLDEMOTE</c>.</summary>
    Cldemote = 217,

    /// <summary><c>XEN_X86_FEATURE_MOVDIRI</c>.</summary>
    Movdiri = 219,

    /// <summary><c>XEN_X86_FEATURE_MOVDIR64B</c>.</summary>
    Movdir64b = 220,

    /// <summary><c>XEN_X86_FEATURE_ENQCMD</c>.</summary>
    Enqcmd = 221,

    /// <summary><c>XEN_X86_FEATURE_HW_PSTATE</c>.</summary>
    HwPstate = 231,

    /// <summary><c>XEN_X86_FEATURE_ITSC</c>.</summary>
    Itsc = 232,

    /// <summary><c>XEN_X86_FEATURE_CPB</c>.</summary>
    Cpb = 233,

    /// <summary><c>XEN_X86_FEATURE_EFRO</c>.</summary>
    Efro = 234,

    /// <summary><c>XEN_X86_FEATURE_CLZERO</c>.</summary>
    Clzero = 256,

    /// <summary><c>XEN_X86_FEATURE_RSTR_FP_ERR_PTRS</c>.</summary>
    RstrFpErrPtrs = 258,

    /// <summary><c>XEN_X86_FEATURE_WBNOINVD</c>.</summary>
    Wbnoinvd = 265,

    /// <summary><c>XEN_X86_FEATURE_IBPB</c>.</summary>
    Ibpb = 268,

    /// <summary><c>XEN_X86_FEATURE_IBRS</c>.</summary>
    Ibrs = 270,

    /// <summary><c>XEN_X86_FEATURE_AMD_STIBP</c>.</summary>
    AmdStibp = 271,

    /// <summary><c>XEN_X86_FEATURE_IBRS_ALWAYS</c>.</summary>
    IbrsAlways = 272,

    /// <summary><c>XEN_X86_FEATURE_STIBP_ALWAYS</c>.</summary>
    StibpAlways = 273,

    /// <summary><c>XEN_X86_FEATURE_IBRS_FAST</c>.</summary>
    IbrsFast = 274,

    /// <summary><c>XEN_X86_FEATURE_IBRS_SAME_MODE</c>.</summary>
    IbrsSameMode = 275,

    /// <summary><c>XEN_X86_FEATURE_NO_LMSL</c>.</summary>
    NoLmsl = 276,

    /// <summary><c>XEN_X86_FEATURE_AMD_PPIN</c>.</summary>
    AmdPpin = 279,

    /// <summary><c>XEN_X86_FEATURE_AMD_SSBD</c>.</summary>
    AmdSsbd = 280,

    /// <summary><c>XEN_X86_FEATURE_VIRT_SSBD</c>.</summary>
    VirtSsbd = 281,

    /// <summary><c>XEN_X86_FEATURE_SSB_NO</c>.</summary>
    SsbNo = 282,

    /// <summary><c>XEN_X86_FEATURE_PSFD</c>.</summary>
    Psfd = 284,

    /// <summary><c>XEN_X86_FEATURE_BTC_NO</c>.</summary>
    BtcNo = 285,

    /// <summary><c>XEN_X86_FEATURE_IBPB_RET</c>.</summary>
    IbpbRet = 286,

    /// <summary><c>XEN_X86_FEATURE_AVX512_4VNNIW</c>.</summary>
    Avx5124vnniw = 290,

    /// <summary><c>XEN_X86_FEATURE_AVX512_4FMAPS</c>.</summary>
    Avx5124fmaps = 291,

    /// <summary><c>XEN_X86_FEATURE_FSRM</c>.</summary>
    Fsrm = 292,

    /// <summary><c>XEN_X86_FEATURE_AVX512_VP2INTERSECT</c>.</summary>
    Avx512Vp2intersect = 296,

    /// <summary><c>XEN_X86_FEATURE_SRBDS_CTRL</c>.</summary>
    SrbdsCtrl = 297,

    /// <summary><c>XEN_X86_FEATURE_MD_CLEAR</c>.</summary>
    MdClear = 298,

    /// <summary><c>XEN_X86_FEATURE_RTM_ALWAYS_ABORT</c>.</summary>
    RtmAlwaysAbort = 299,

    /// <summary><c>XEN_X86_FEATURE_TSX_FORCE_ABORT</c>.</summary>
    TsxForceAbort = 301,

    /// <summary><c>XEN_X86_FEATURE_SERIALIZE</c>.</summary>
    Serialize = 302,

    /// <summary><c>XEN_X86_FEATURE_HYBRID</c>.</summary>
    Hybrid = 303,

    /// <summary><c>XEN_X86_FEATURE_TSXLDTRK</c>.</summary>
    Tsxldtrk = 304,

    /// <summary><c>XEN_X86_FEATURE_CET_IBT</c>.</summary>
    CetIbt = 308,

    /// <summary><c>XEN_X86_FEATURE_AVX512_FP16</c>.</summary>
    Avx512Fp16 = 311,

    /// <summary><c>XEN_X86_FEATURE_IBRSB</c>.</summary>
    Ibrsb = 314,

    /// <summary><c>XEN_X86_FEATURE_STIBP</c>.</summary>
    Stibp = 315,

    /// <summary><c>XEN_X86_FEATURE_L1D_FLUSH</c>.</summary>
    L1dFlush = 316,

    /// <summary><c>XEN_X86_FEATURE_ARCH_CAPS</c>.</summary>
    ArchCaps = 317,

    /// <summary><c>XEN_X86_FEATURE_CORE_CAPS</c>.</summary>
    CoreCaps = 318,

    /// <summary><c>XEN_X86_FEATURE_SSBD</c>.</summary>
    Ssbd = 319,

    /// <summary><c>XEN_X86_FEATURE_AVX_VNNI</c>.</summary>
    AvxVnni = 324,

    /// <summary><c>XEN_X86_FEATURE_AVX512_BF16</c>.</summary>
    Avx512Bf16 = 325,

    /// <summary><c>XEN_X86_FEATURE_FZRM</c>.</summary>
    Fzrm = 330,

    /// <summary><c>XEN_X86_FEATURE_FSRS</c>.</summary>
    Fsrs = 331,

    /// <summary><c>XEN_X86_FEATURE_FSRCS</c>.</summary>
    Fsrcs = 332,

    /// <summary><c>XEN_X86_FEATURE_LFENCE_DISPATCH</c>.</summary>
    LfenceDispatch = 354,

    /// <summary><c>XEN_X86_FEATURE_VERW_CLEAR</c>.</summary>
    VerwClear = 357,

    /// <summary><c>XEN_X86_FEATURE_NSCB</c>.</summary>
    Nscb = 358,

    /// <summary><c>XEN_X86_FEATURE_AUTO_IBRS</c>.</summary>
    AutoIbrs = 360,

    /// <summary><c>XEN_X86_FEATURE_SBPB</c>.</summary>
    Sbpb = 379,

    /// <summary><c>XEN_X86_FEATURE_IBPB_BRTYPE</c>.</summary>
    IbpbBrtype = 380,

    /// <summary><c>XEN_X86_FEATURE_SRSO_NO</c>.</summary>
    SrsoNo = 381,

    /// <summary><c>XEN_X86_FEATURE_SRSO_US_NO</c>.</summary>
    SrsoUsNo = 382,

    /// <summary><c>XEN_X86_FEATURE_SRSO_MSR_FIX</c>.</summary>
    SrsoMsrFix = 383,

    /// <summary><c>XEN_X86_FEATURE_INTEL_PPIN</c>.</summary>
    IntelPpin = 384,

    /// <summary><c>XEN_X86_FEATURE_INTEL_PSFD</c>.</summary>
    IntelPsfd = 416,

    /// <summary><c>XEN_X86_FEATURE_IPRED_CTRL</c>.</summary>
    IpredCtrl = 417,

    /// <summary><c>XEN_X86_FEATURE_RRSBA_CTRL</c>.</summary>
    RrsbaCtrl = 418,

    /// <summary><c>XEN_X86_FEATURE_BHI_CTRL</c>.</summary>
    BhiCtrl = 420,

    /// <summary><c>XEN_X86_FEATURE_MCDT_NO</c>.</summary>
    McdtNo = 421,

    /// <summary><c>XEN_X86_FEATURE_CET_SSS</c>.</summary>
    CetSss = 498,

    /// <summary><c>XEN_X86_FEATURE_RDCL_NO</c>.</summary>
    RdclNo = 512,

    /// <summary><c>XEN_X86_FEATURE_EIBRS</c>.</summary>
    Eibrs = 513,

    /// <summary><c>XEN_X86_FEATURE_RSBA</c>.</summary>
    Rsba = 514,

    /// <summary><c>XEN_X86_FEATURE_SKIP_L1DFL</c>.</summary>
    SkipL1dfl = 515,

    /// <summary><c>XEN_X86_FEATURE_INTEL_SSB_NO</c>.</summary>
    IntelSsbNo = 516,

    /// <summary><c>XEN_X86_FEATURE_MDS_NO</c>.</summary>
    MdsNo = 517,

    /// <summary><c>XEN_X86_FEATURE_IF_PSCHANGE_MC_NO</c>.</summary>
    IfPschangeMcNo = 518,

    /// <summary><c>XEN_X86_FEATURE_TSX_CTRL</c>.</summary>
    TsxCtrl = 519,

    /// <summary><c>XEN_X86_FEATURE_TAA_NO</c>.</summary>
    TaaNo = 520,

    /// <summary><c>XEN_X86_FEATURE_MCU_CTRL</c>.</summary>
    McuCtrl = 521,

    /// <summary><c>XEN_X86_FEATURE_MISC_PKG_CTRL</c>.</summary>
    MiscPkgCtrl = 522,

    /// <summary><c>XEN_X86_FEATURE_ENERGY_FILTERING</c>.</summary>
    EnergyFiltering = 523,

    /// <summary><c>XEN_X86_FEATURE_DOITM</c>.</summary>
    Doitm = 524,

    /// <summary><c>XEN_X86_FEATURE_SBDR_SSDP_NO</c>.</summary>
    SbdrSsdpNo = 525,

    /// <summary><c>XEN_X86_FEATURE_FBSDP_NO</c>.</summary>
    FbsdpNo = 526,

    /// <summary><c>XEN_X86_FEATURE_PSDP_NO</c>.</summary>
    PsdpNo = 527,

    /// <summary><c>XEN_X86_FEATURE_FB_CLEAR</c>.</summary>
    FbClear = 529,

    /// <summary><c>XEN_X86_FEATURE_FB_CLEAR_CTRL</c>.</summary>
    FbClearCtrl = 530,

    /// <summary><c>XEN_X86_FEATURE_RRSBA</c>.</summary>
    Rrsba = 531,

    /// <summary><c>XEN_X86_FEATURE_BHI_NO</c>.</summary>
    BhiNo = 532,

    /// <summary><c>XEN_X86_FEATURE_XAPIC_STATUS</c>.</summary>
    XapicStatus = 533,

    /// <summary><c>XEN_X86_FEATURE_OVRCLK_STATUS</c>.</summary>
    OvrclkStatus = 535,

    /// <summary><c>XEN_X86_FEATURE_PBRSB_NO</c>.</summary>
    PbrsbNo = 536,

    /// <summary><c>XEN_X86_FEATURE_GDS_CTRL</c>.</summary>
    GdsCtrl = 537,

    /// <summary><c>XEN_X86_FEATURE_GDS_NO</c>.</summary>
    GdsNo = 538,

    /// <summary><c>XEN_X86_FEATURE_RFDS_NO</c>.</summary>
    RfdsNo = 539,

    /// <summary><c>XEN_X86_FEATURE_RFDS_CLEAR</c>.</summary>
    RfdsClear = 540,

    /// <summary><c>XEN_X86_FEATURE_ITS_NO</c>.</summary>
    ItsNo = 574,

    /// <summary><c>XEN_X86_FEATURE_TSA_SQ_NO</c>.</summary>
    TsaSqNo = 577,

    /// <summary><c>XEN_X86_FEATURE_TSA_L1_NO</c>.</summary>
    TsaL1No = 578,
}
