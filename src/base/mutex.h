// A mutex that the compiler watches: what is TIDEGATE_GUARDED_BY it is touched only while it is held (clang's
// -Wthread-safety). The standard library's own has no such marks.
#pragma once

#include <mutex>

#if defined(__clang__)
#define TIDEGATE_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define TIDEGATE_THREAD_ATTRIBUTE(x)
#endif
#define TIDEGATE_GUARDED_BY(x) TIDEGATE_THREAD_ATTRIBUTE(guarded_by(x))
#define TIDEGATE_REQUIRES(...) TIDEGATE_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define TIDEGATE_EXCLUDES(...) TIDEGATE_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))

namespace tidegate {

class TIDEGATE_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
public:
    void lock() TIDEGATE_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
    void unlock() TIDEGATE_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

private:
    friend class MutexLock;
    std::mutex mutex_;
};

// Holds the mutex for its scope. unlock() and lock() let go of it in between; native() is for waiting on a
// std::condition_variable, which does the same and has it again when it returns.
class TIDEGATE_THREAD_ATTRIBUTE(scoped_lockable) MutexLock {
public:
    explicit MutexLock(Mutex& mutex) TIDEGATE_THREAD_ATTRIBUTE(acquire_capability(mutex)) : lock_(mutex.mutex_) {}
    ~MutexLock() TIDEGATE_THREAD_ATTRIBUTE(release_capability()) {}
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

    void unlock() TIDEGATE_THREAD_ATTRIBUTE(release_capability()) { lock_.unlock(); }
    void lock() TIDEGATE_THREAD_ATTRIBUTE(acquire_capability()) { lock_.lock(); }
    [[nodiscard]] std::unique_lock<std::mutex>& native() { return lock_; }

private:
    std::unique_lock<std::mutex> lock_;
};

}  // namespace tidegate
