// A doubly linked list whose links live in its elements: insert and remove cost no allocation, and an element
// takes itself out when it is destroyed. Not thread-safe: a list belongs to one thread.
#pragma once

#include <cstddef>
#include <iterator>

namespace tidegate {

// A link that an element inherits; Tag tells apart the lists that one element can be in at once.
template <class Tag = void>
class ListNode {
public:
    ListNode() = default;
    ListNode(const ListNode&) = delete;
    ListNode& operator=(const ListNode&) = delete;
    ~ListNode() { unlink(); }

    [[nodiscard]] bool linked() const { return next_ != nullptr; }

    void unlink() {
        if (!linked()) return;
        prev_->next_ = next_;
        next_->prev_ = prev_;
        next_ = prev_ = nullptr;
        --*size_;
    }

private:
    template <class, class>
    friend class IntrusiveList;
    ListNode* prev_ = nullptr;
    ListNode* next_ = nullptr;
    std::size_t* size_ = nullptr;
};

// The list does not own its elements; it must not move while it has any.
template <class T, class Tag = void>
class IntrusiveList {
    using Node = ListNode<Tag>;

public:
    class Iterator {
    public:
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        explicit Iterator(Node* node = nullptr) : node_(node) {}
        T& operator*() const { return *static_cast<T*>(node_); }
        T* operator->() const { return static_cast<T*>(node_); }
        Iterator& operator++() {
            node_ = node_->next_;
            return *this;
        }
        Iterator operator++(int) {
            Iterator was = *this;
            ++*this;
            return was;
        }
        friend bool operator==(Iterator, Iterator) = default;

    private:
        Node* node_;
    };

    IntrusiveList() {
        root_.prev_ = root_.next_ = &root_;
        root_.size_ = &size_;
    }
    ~IntrusiveList() {
        while (!empty()) front().Node::unlink();
        root_.prev_ = root_.next_ = nullptr;
    }
    IntrusiveList(const IntrusiveList&) = delete;
    IntrusiveList& operator=(const IntrusiveList&) = delete;

    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] T& front() { return *static_cast<T*>(root_.next_); }
    [[nodiscard]] T& back() { return *static_cast<T*>(root_.prev_); }
    // REQUIRES: the element is in no list of this tag.
    void push_back(T& element) { insert_before(root_, element); }
    void push_front(T& element) { insert_before(*root_.next_, element); }
    // Puts `element` in front of `position`, which is in this list.
    void insert(T& position, T& element) { insert_before(position, element); }
    static void erase(T& element) { static_cast<Node&>(element).unlink(); }

    [[nodiscard]] Iterator begin() { return Iterator(root_.next_); }
    [[nodiscard]] Iterator end() { return Iterator(&root_); }

private:
    void insert_before(Node& position, Node& node) {
        node.prev_ = position.prev_;
        node.next_ = &position;
        node.size_ = &size_;
        position.prev_->next_ = &node;
        position.prev_ = &node;
        ++size_;
    }

    Node root_;
    std::size_t size_ = 0;
};

}  // namespace tidegate
